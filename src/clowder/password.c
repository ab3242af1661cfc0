/* bcrypt is the C library's (libxcrypt): slow on purpose, some 50 to 100 ms for each question. So it is asked only
 * where the administrator said that passwords are taken, and once for a request.
 */
#include "clowder/password.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <apr_base64.h>
#include <apr_strings.h>

#define BASIC "Basic "
/* Nobody's: of the same cost as Clowder's own, so that whether there is such a user cannot be told by the time. */
#define DUMMY "$2a$10$abcdefghijklmnopqrstuuMFdJu9yVgmagVAIC24fOZkaFqd3s9JC"
/* The cost, a logarithm, that is still paid for a hash out of the database. */
#define COST_MAX 14
#define HASH_LEN 60

bool mm_clowder_basic_read(mm_clowder_basic_t *basic, const char *authorization, apr_pool_t *pool)
{
    size_t len = authorization ? strnlen(authorization, MM_CLOWDER_BASIC_MAX + 1) : 0;

    if (len > MM_CLOWDER_BASIC_MAX || len <= strlen(BASIC) || strncasecmp(authorization, BASIC, strlen(BASIC)) != 0) {
        return false;
    }
    const char *coded = authorization + strlen(BASIC);
    coded += strspn(coded, " ");
    char *text = apr_palloc(pool, (apr_size_t)apr_base64_decode_len(coded) + 1);
    int n = apr_base64_decode_binary((unsigned char *)text, coded);
    if (n <= 0 || memchr(text, '\0', (size_t)n)) {
        return false;
    }
    text[n] = '\0';
    char *colon = strchr(text, ':');
    if (!colon || colon == text || strchr(colon + 1, ':')) {
        return false;
    }
    *colon = '\0';
    *basic = (mm_clowder_basic_t){text, colon + 1};
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_bcrypt(const char *hash)
{
    return strlen(hash) == HASH_LEN && strncmp(hash, "$2", 2) == 0 && strchr("aby", hash[2]) && hash[3] == '$' &&
           is_digit(hash[4]) && is_digit(hash[5]) && hash[6] == '$' &&
           (hash[4] - '0') * 10 + (hash[5] - '0') <= COST_MAX;
}

/* In the same time wherever they differ. */
static bool is_same(const char *a, const char *b)
{
    unsigned char difference = 0;

    for (size_t i = 0; i < HASH_LEN; i++) {
        difference |= (unsigned char)(a[i] ^ b[i]);
    }
    return difference == 0;
}

bool mm_clowder_password_fits(const char *hash, const char *password)
{
    bool usable = is_bcrypt(hash);
    struct crypt_data *data = calloc(1, sizeof(*data));
    const char *made = data ? crypt_r(password, usable ? hash : DUMMY, data) : NULL;
    bool fits = made && usable && strlen(made) == HASH_LEN && is_same(made, hash);

    if (data) {
        explicit_bzero(data, sizeof(*data));
    }
    free(data);
    return fits;
}
