/* The connection URI: parsed, checked, and made fit for a log.
 *
 * A URI holds a password, and one that was mistyped holds it in the wrong place ("mongodb://user:pass/word@host").
 * libmongoc's messages quote the piece that it could not parse. So: its message is passed on only when it quotes
 * nothing, its own log is off, and for a log only what is known to be harmless is kept of a URI.
 */
#include "store/store_private.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <apr_lib.h>
#include <apr_strings.h>

/* libmongoc's own defaults are 10 s, 30 s and 5 minutes: too long for somebody who waits for a page. */
#define CONNECT_TIMEOUT_MS   2000
#define SELECTION_TIMEOUT_MS 3000
#define SOCKET_TIMEOUT_MS    10000

static const char *const harmless_options[] = {
    "appname",
    "authmechanism",
    "authsource",
    "compressors",
    "connecttimeoutms",
    "directconnection",
    "journal",
    "loadbalanced",
    "maxstalenessseconds",
    "readconcernlevel",
    "readpreference",
    "replicaset",
    "retryreads",
    "retrywrites",
    "serverselectiontimeoutms",
    "serverselectiontryonce",
    "sockettimeoutms",
    "ssl",
    "tls",
    "tlscafile",
    "w",
    "wtimeoutms",
    NULL,
};

static bool set_default_ms(mongoc_uri_t *uri, const char *option, int32_t ms)
{
    return mongoc_uri_has_option(uri, option) || mongoc_uri_set_option_as_int32(uri, option, ms);
}

/* A read that may take for ever is no time-out at all: 0 and below stand for our own. */
static bool set_socket_timeout(mongoc_uri_t *uri)
{
    return mongoc_uri_get_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, 0) > 0 ||
           mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, SOCKET_TIMEOUT_MS);
}

/* libmongoc takes the first '@' for the end of the password and what follows for a host, whose name it then logs. */
static bool has_stray_at(const char *text)
{
    const char *at = strchr(text, '@');

    return at && memchr(at + 1, '@', strcspn(at + 1, "?")) != NULL;
}

mongoc_uri_t *mm_store_uri_parse(const char *text, mm_err_t *err)
{
    bson_error_t error = {0};
    mongoc_uri_t *uri;

    /* Idempotent, and good for the whole process: see above, and whatever matters comes back as an error. */
    mongoc_log_set_handler(NULL, NULL);
    uri = has_stray_at(text) ? NULL : mongoc_uri_new_with_error(text, &error);
    if (!uri) {
        bool quotes = !error.message[0] || strchr(error.message, '"') != NULL;

        mm_err_set(err, APR_EINVAL,
                   "The MongoDB URI is malformed: %s. It should look like mongodb://USER:PASSWORD@HOST:PORT/DATABASE, "
                   "with : / ? # [ ] @ %% in user name and password written as %%XX",
                   quotes ? "a part of it cannot be read" : error.message);
        return NULL;
    }
    if (!set_default_ms(uri, MONGOC_URI_CONNECTTIMEOUTMS, CONNECT_TIMEOUT_MS) ||
        !set_default_ms(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, SELECTION_TIMEOUT_MS) || !set_socket_timeout(uri) ||
        (!mongoc_uri_has_option(uri, MONGOC_URI_APPNAME) && !mongoc_uri_set_appname(uri, "mod_metrics"))) {
        mm_err_set(err, APR_EINVAL, "The MongoDB URI has options that libmongoc does not take together");
        mongoc_uri_destroy(uri);
        return NULL;
    }
    return uri;
}

apr_status_t mm_store_check_uri(const char *text, apr_pool_t *pool, mm_err_t *err)
{
    mongoc_uri_t *uri = mm_store_uri_parse(text, err);

    (void)pool;
    if (!uri) {
        return APR_EINVAL;
    }
    mongoc_uri_destroy(uri);
    return APR_SUCCESS;
}

/* Whether every ':' in HOST[:PORT],… is followed by a number and nothing else; if not, it may be "user:password" whose
 * "@host" was forgotten. */
static bool is_host_list(const char *text, size_t len)
{
    size_t i;
    bool in_port = false, in_brackets = false;

    for (i = 0; i < len; i++) {
        char c = text[i];

        if (c == ',') {
            in_port = false;
        }
        else if (c == '[' || c == ']') {
            in_brackets = c == '[';
        }
        else if (c == ':' && !in_brackets) {
            in_port = true;
        }
        else if (in_port && !apr_isdigit(c)) {
            return false;
        }
    }
    return true;
}

static bool is_harmless(const char *option, size_t len)
{
    size_t i;

    for (i = 0; harmless_options[i]; i++) {
        if (strlen(harmless_options[i]) == len && strncasecmp(harmless_options[i], option, len) == 0) {
            return true;
        }
    }
    return false;
}

static const char *redact_options(const char *options, apr_pool_t *pool)
{
    const char *out = "";

    while (*options) {
        size_t len = strcspn(options, "&");
        const char *equals = memchr(options, '=', len);
        size_t name_len = equals ? (size_t)(equals - options) : len;

        if (equals && is_harmless(options, name_len)) {
            out = apr_psprintf(pool, "%s%s%.*s", out, *out ? "&" : "", (int)len, options);
        }
        else {
            out = apr_psprintf(pool, "%s%s***", out, *out ? "&" : "");
        }
        options += len + (options[len] == '&');
    }
    return out;
}

const char *mm_store_redact_uri(const char *uri, apr_pool_t *pool)
{
    const char *start = uri ? strstr(uri, "://") : NULL;
    const char *hosts, *at, *question;
    size_t len;
    int scheme_len;

    if (!start || strncmp(uri, "mongodb", strlen("mongodb")) != 0) {
        return "***";
    }
    start += strlen("://");
    scheme_len = (int)(start - uri);
    /* The last one: an '@' that should have been %40 is part of the password. */
    at = strrchr(start, '@');
    hosts = at ? at + 1 : start;
    if (!is_host_list(hosts, strcspn(hosts, "/?"))) {
        return apr_psprintf(pool, "%.*s***", scheme_len, uri);
    }
    question = strchr(hosts, '?');
    len = question ? (size_t)(question - hosts) : strlen(hosts);
    return apr_psprintf(pool, "%.*s%s%.*s%s%s", scheme_len, uri, at ? "***:***@" : "", (int)len, hosts,
                        question ? "?" : "", question ? redact_options(question + 1, pool) : "");
}
