/* Clowder's documents, whatever they hold: as an account of each kind, and as a document that keys lead to. The first
 * byte chooses the kind.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/accounts_private.h"

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

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
        must(strcmp(account.login, "untouched") == 0);
        return 0;
    }
    must(is_text(account.login) && is_text(account.provider));
    must(kind == MM_ACCOUNTS_USERS ? *account.user && !account.secret : is_text(account.secret) && !account.user);
    must(!account.is_extractor || kind == MM_ACCOUNTS_KEYS);
    return 0;
}
