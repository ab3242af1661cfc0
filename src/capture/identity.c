/* Credentials become SHA-256 hashes; nothing else of them is kept, and nothing of them is ever logged.
 *
 * Whether they are good is not asked here: that needs the application's database, and is the drainer's work.
 */
#include "capture/identity.h"

#include "apr_strings.h"

#include "base/query.h"
#include "base/sha256.h"
#include "event/identity.h"

/* Longer than any session's cookie or key; what is hashed for a visitor is bounded by it. */
#define SECRET_MAX 4096

typedef struct found {
    mm_credential_t list[MM_IDENTITY_CREDENTIALS_MAX];
    size_t n;
} found_t;

static void add(found_t *found, mm_credential_kind_t kind, const char *value, size_t len)
{
    mm_credential_t *credential = &found->list[found->n];
    if (found->n < MM_IDENTITY_CREDENTIALS_MAX && len > 0 && len <= SECRET_MAX &&
        mm_sha256_hex(credential->hash, value, len)) {
        credential->kind = kind;
        found->n++;
    }
}

static void add_cookie(found_t *found, const request_rec *r, const char *name)
{
    const char *value;
    size_t len;
    if (mm_cookie_find(apr_table_get(r->headers_in, "Cookie"), name, &value, &len)) {
        add(found, MM_CREDENTIAL_COOKIE, value, len);
    }
}

/* The application tries each value in turn, and so does whoever resolves them. */
static void add_parameter(found_t *found, const request_rec *r, const mm_identity_conf_t *conf)
{
    mm_bytes_t query = mm_bytes_of(r->parsed_uri.query);
    const char *value;
    size_t len;
    while (found->n < MM_IDENTITY_CREDENTIALS_MAX &&
           mm_query_next(&query.data, &query.len, conf->parameter, &value, &len)) {
        char *text = apr_palloc(r->pool, len + 1);
        size_t before = found->n;
        add(found, MM_CREDENTIAL_KEY, text, mm_query_decode(text, value, len));
        if (found->n > before && conf->commkey && strcmp(found->list[before].hash, conf->commkey) == 0) {
            found->list[before].kind = MM_CREDENTIAL_MASTER;
        }
    }
}

static mm_bytes_t identity_of(const request_rec *r, const mm_identity_conf_t *conf)
{
    found_t found = {.n = 0};
    if (conf->cookie) {
        add_cookie(&found, r, conf->cookie);
    }
    if (conf->header) {
        mm_bytes_t key = mm_bytes_of(apr_table_get(r->headers_in, conf->header));
        add(&found, MM_CREDENTIAL_KEY, key.data, key.len);
    }
    if (conf->parameter) {
        add_parameter(&found, r, conf);
    }
    if (found.n == 0) {
        return mm_bytes_of(NULL);
    }
    char *text = apr_palloc(r->pool, MM_EVENT_IDENTITY_MAX);
    return (mm_bytes_t){text, mm_identity_write(text, found.list, found.n)};
}

mm_bytes_t mm_capture_session(const request_rec *r, const mm_dir_config_t *conf)
{
    if (!conf->session_cookie || !*conf->session_cookie) {
        return mm_bytes_of(NULL);
    }
    found_t found = {.n = 0};
    add_cookie(&found, r, conf->session_cookie);
    return mm_bytes_of(found.n > 0 ? apr_pstrmemdup(r->pool, found.list[0].hash, MM_SHA256_HEX) : NULL);
}

mm_bytes_t mm_capture_identity(const request_rec *r, const mm_dir_config_t *conf)
{
    return conf->identity ? identity_of(r, conf->identity) : mm_bytes_of(NULL);
}
