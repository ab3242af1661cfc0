/* One after the other, until one is good. Secrets go to the database as values of one field, and nowhere else. */
#include "clowder/identify.h"

#include <string.h>
#include <apr_strings.h>
#include "clowder/password.h"
#include "store/accounts.h"

/* Whose a session or a key is. */
typedef struct found {
    const char *login, *provider; /* NULL: nobody's */
    int64_t used_ms, expires_ms;
    apr_pool_t *pool;
} found_t;

static void on_account(void *baton, const mm_account_t *account)
{
    found_t *found = baton;

    found->login = apr_pstrdup(found->pool, account->login);
    found->provider = apr_pstrdup(found->pool, account->provider);
    found->used_ms = account->used_ms;
    found->expires_ms = account->expires_ms;
}

static apr_status_t find(found_t *found, mm_store_t *store, mm_accounts_kind_t kind, const char *secret,
                         apr_pool_t *pool, mm_err_t *err)
{
    size_t len = strlen(secret);

    *found = (found_t){.pool = pool};
    return len > 0 && len <= MM_CLOWDER_SECRET_MAX ? mm_accounts_find(store, kind, secret, on_account, found, err)
                                                   : APR_SUCCESS;
}

static apr_status_t user_of(mm_clowder_user_t **user, mm_store_t *store, const found_t *found, mm_err_t *err)
{
    const mm_clowder_who_t who = {.login = found->login, .provider = found->provider};

    return mm_clowder_find_user(user, store, &who, found->pool, err);
}

static apr_status_t by_session(mm_clowder_user_t **user, mm_store_t *store, const char *cookie, int64_t idle_ms,
                               int64_t now_ms, apr_pool_t *pool, mm_err_t *err)
{
    found_t found;
    apr_status_t rv = find(&found, store, MM_ACCOUNTS_SESSIONS, cookie, pool, err);

    if (rv != APR_SUCCESS || !found.login || found.expires_ms <= now_ms || found.used_ms <= now_ms - idle_ms) {
        return rv;
    }
    return user_of(user, store, &found, err);
}

static apr_status_t by_key(mm_clowder_user_t **user, mm_store_t *store, const char *key, apr_pool_t *pool,
                           mm_err_t *err)
{
    found_t found;
    apr_status_t rv = find(&found, store, MM_ACCOUNTS_KEYS, key, pool, err);

    return rv == APR_SUCCESS && found.login ? user_of(user, store, &found, err) : rv;
}

static apr_status_t by_password(mm_clowder_user_t **user, mm_store_t *store, const char *authorization,
                                apr_pool_t *pool, mm_err_t *err)
{
    mm_clowder_who_t who = {.provider = "userpass"};
    mm_clowder_user_t *claimed = NULL;
    mm_clowder_basic_t basic;

    if (!mm_clowder_basic_read(&basic, authorization, pool)) {
        return APR_SUCCESS;
    }
    who.email = basic.email;
    apr_status_t rv = mm_clowder_find_user(&claimed, store, &who, pool, err);
    if (rv == APR_SUCCESS && mm_clowder_password_fits(claimed ? claimed->password : "", basic.password)) {
        *user = claimed;
    }
    return rv;
}

apr_status_t mm_clowder_identify(mm_clowder_identity_t *identity, mm_store_t *store,
                                 const mm_clowder_brought_t *brought, int64_t idle_ms, int64_t now_ms, apr_pool_t *pool,
                                 mm_err_t *err)
{
    mm_clowder_user_t *user = NULL;
    apr_status_t rv = APR_SUCCESS;

    if (brought->cookie) {
        rv = by_session(&user, store, brought->cookie, idle_ms, now_ms, pool, err);
    }
    if (rv == APR_SUCCESS && !user && brought->authorization) {
        rv = by_password(&user, store, brought->authorization, pool, err);
    }
    for (size_t i = 0; i < MM_CLOWDER_KEYS_MAX && brought->keys[i] && rv == APR_SUCCESS && !user; i++) {
        rv = by_key(&user, store, brought->keys[i], pool, err);
    }
    *identity = (mm_clowder_identity_t){user, !user && (brought->authorization || brought->keys[0])};
    return rv;
}
