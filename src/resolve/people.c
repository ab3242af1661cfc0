/* A hash from the SHA-256 of each session's cookie and key to a user. The secrets themselves are hashed as they pass by
 * and not kept. Where a secret or a login stands in several documents, the first counts, as it does for Clowder.
 */
#include "resolve/people.h"

#include <string.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include "store/accounts.h"

#define KEY_LEN (1 + MM_SHA256_HEX)

struct mm_people {
    apr_pool_t *pool;
    apr_hash_t *persons; /* kind of credential and hash -> mm_person_t */
};

typedef struct loading {
    mm_people_t *people;
    apr_hash_t *users; /* provider, zero, login -> id */
    apr_pool_t *scratch;
    mm_accounts_kind_t kind;
    int64_t strangers; /* sessions and keys of a user who does not exist */
} loading_t;

/* Joined by a zero byte, which neither holds. */
static const char *login_of(const mm_account_t *account, apr_ssize_t *len, apr_pool_t *pool)
{
    size_t provider = strlen(account->provider) + 1, login = strlen(account->login);
    char *key = apr_palloc(pool, provider + login + 1);

    memcpy(key, account->provider, provider);
    memcpy(key + provider, account->login, login + 1);
    *len = (apr_ssize_t)(provider + login);
    return key;
}

static void add_user(loading_t *loading, const mm_account_t *account)
{
    apr_ssize_t len;
    const char *key = login_of(account, &len, loading->scratch);

    if (!apr_hash_get(loading->users, key, len)) {
        apr_hash_set(loading->users, key, len, apr_pstrdup(loading->people->pool, account->user));
    }
}

static void add_secret(loading_t *loading, const mm_account_t *account)
{
    mm_people_t *people = loading->people;
    char key[KEY_LEN + 1], login[2 * (MM_ACCOUNTS_TEXT_MAX + 1)];
    size_t provider = strlen(account->provider) + 1, login_len = strlen(account->login);
    const char *user;

    memcpy(login, account->provider, provider);
    memcpy(login + provider, account->login, login_len);
    user = apr_hash_get(loading->users, login, (apr_ssize_t)(provider + login_len));
    if (!user) {
        loading->strangers++;
        return;
    }
    key[0] = loading->kind == MM_ACCOUNTS_SESSIONS ? MM_CREDENTIAL_COOKIE : MM_CREDENTIAL_KEY;
    if (!mm_sha256_hex(key + 1, account->secret, strlen(account->secret)) ||
        apr_hash_get(people->persons, key, KEY_LEN)) {
        return;
    }
    mm_person_t *person = apr_palloc(people->pool, sizeof(*person));
    *person = (mm_person_t){.user = user,
                            .is_extractor = account->is_extractor,
                            .is_session = loading->kind == MM_ACCOUNTS_SESSIONS,
                            .used_ms = account->used_ms,
                            .expires_ms = account->expires_ms};
    apr_hash_set(people->persons, apr_pstrmemdup(people->pool, key, KEY_LEN), KEY_LEN, person);
}

static void on_account(void *baton, const mm_account_t *account)
{
    loading_t *loading = baton;

    if (loading->kind == MM_ACCOUNTS_USERS) {
        add_user(loading, account);
    }
    else {
        add_secret(loading, account);
    }
}

/* What there is to say of a collection that was read; APR_SUCCESS: nothing. */
static apr_status_t judge(const loading_t *loading, const mm_accounts_tally_t *tally, mm_err_t *err)
{
    const char *name = mm_accounts_collection(loading->kind);

    if (tally->cut) {
        return mm_err_set(err, APR_EGENERAL,
                          "%s holds more documents, or takes longer to read, than is sensible (%d documents at most)",
                          name, MM_ACCOUNTS_MAX);
    }
    if (loading->kind == MM_ACCOUNTS_USERS && tally->read == 0) {
        return mm_err_set(err, APR_EGENERAL,
                          "%s holds no users. MetricsCatalogURI (or without it MetricsMongoURI) should name Clowder's "
                          "database",
                          name);
    }
    if (tally->odd > 0 && tally->odd >= tally->read) {
        return mm_err_set(err, APR_EGENERAL, "%d of %d documents of %s are not what Clowder 1 writes", (int)tally->odd,
                          (int)(tally->odd + tally->read), name);
    }
    return APR_SUCCESS;
}

/* Of several things that are wrong, the first is told. */
static apr_status_t read_kind(loading_t *loading, mm_accounts_kind_t kind, mm_store_t *store, int64_t from_ms,
                              mm_err_t *err)
{
    mm_accounts_tally_t tally;
    apr_status_t rv;

    loading->kind = kind;
    rv = mm_accounts_read(store, kind, from_ms, on_account, loading, &tally, err);
    return rv == APR_SUCCESS ? judge(loading, &tally, err) : rv;
}

apr_status_t mm_people_load(mm_people_t **people, mm_store_t *store, int64_t from_ms, apr_pool_t *pool, mm_err_t *err)
{
    static const mm_accounts_kind_t order[] = {MM_ACCOUNTS_USERS, MM_ACCOUNTS_SESSIONS, MM_ACCOUNTS_KEYS};
    mm_people_t *made = apr_pcalloc(pool, sizeof(*made));
    loading_t loading = {.people = made};
    apr_status_t result = APR_SUCCESS;

    apr_pool_create(&loading.scratch, pool);
    made->pool = pool;
    made->persons = apr_hash_make(pool);
    loading.users = apr_hash_make(loading.scratch);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && result != MM_STORE_AWAY; i++) {
        mm_err_t why;
        apr_status_t rv = read_kind(&loading, order[i], store, from_ms, &why);

        if (rv == MM_STORE_AWAY || (rv != APR_SUCCESS && result == APR_SUCCESS)) {
            result = mm_err_set(err, rv, "%s", why.text);
        }
    }
    apr_pool_destroy(loading.scratch);
    *people = made;
    return result;
}

const mm_person_t *mm_people_find(const mm_people_t *people, const mm_credential_t *credential)
{
    char key[KEY_LEN];

    key[0] = (char)credential->kind;
    memcpy(key + 1, credential->hash, MM_SHA256_HEX);
    return apr_hash_get(people->persons, key, KEY_LEN);
}

bool mm_person_was_known(const mm_person_t *person, int64_t time_ms)
{
    return !person->is_session || (person->expires_ms > time_ms && person->used_ms > time_ms - MM_PEOPLE_IDLE_MS);
}
