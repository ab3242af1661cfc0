/* Clowder's documents, whatever they hold: as an account of each kind, and as a document that keys lead to. The first
 * byte chooses the kind.
 */

#include "fuzz.h"

#include "store/accounts_private.h"

static bool is_text(const char *text)
{
    return text && *text && strlen(text) <= MM_ACCOUNTS_TEXT_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static mm_account_text_t text;
    mm_account_t account = {.login = "untouched"};
    bson_t doc;

    if (size < 1 || !bson_init_static(&doc, data + 1, size - 1)) {
        return 0;
    }
    mm_accounts_kind_t kind = (mm_accounts_kind_t)(data[0] % 3);
    if (!mm_account_parse(&account, &text, kind, &doc)) {
        HOLDS(strcmp(account.login, "untouched") == 0);
        return 0;
    }
    HOLDS(is_text(account.login) && is_text(account.provider));
    HOLDS(kind == MM_ACCOUNTS_USERS ? *account.user && !account.secret : is_text(account.secret) && !account.user);
    HOLDS(!account.is_extractor || kind == MM_ACCOUNTS_KEYS);
    return 0;
}
