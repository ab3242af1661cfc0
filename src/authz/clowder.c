/* The provider that decides as Clowder 1 does, by Clowder's own documents: who the requester is, what that may see, and
 * whom. The rules are in src/clowder; here is what httpd brings and what the administrator said.
 */
#include "authz/application.h"
#include "authz/args.h"
#include "authz/catalog.h"
#include "authz/providers.h"
#include "authz/requester.h"

#include "ap_expr.h"
#include "apr_strings.h"
#include "http_log.h"

#include "base/query.h"
#include "clowder/identify.h"
#include "clowder/rights.h"
#include "config/config.h"

APLOG_USE_MODULE(metrics);

#define COOKIE_DEFAULT "id"
#define IDLE_DEFAULT   apr_time_from_sec(30 * 60)
/* How Clowder's pages remember that an admin wants to see everything. */
#define SUPER_COOKIE "superAdmin"

typedef enum user_by { BY_NOTHING, BY_ID, BY_EMAIL } user_by_t;
typedef enum audience { FOR_ALL, FOR_MEMBERS, FOR_ADMINS } audience_t;

typedef struct conf {
    mm_clowder_rules_t rules;
    user_by_t user_by;        /* what httpd's own name for the requester is to Clowder */
    const ap_expr_info_t *as; /* who the requester is to httpd; NULL: REMOTE_USER */
    const char *cookie;       /* NULL: none is taken */
    int keys, passwords;      /* whether they are taken */
    const char *me;           /* where Clowder says who somebody is; NULL: its documents say so */
    apr_time_t idle;
    int admins_see_all; /* without asking for it by the cookie */
    audience_t audience;
} conf_t;

typedef struct state {
    request_rec *r;
    mm_clowder_rights_t *rights;
} state_t;

/* --- the line in the configuration --- */

typedef struct choice {
    const char *word;
    int value;
} choice_t;

static const choice_t servers[] = {{"private", 0}, {"public", 1}, {NULL, 0}};
static const choice_t switches[] = {{"on", 1}, {"off", 0}, {NULL, 0}};
static const choice_t user_bys[] = {{"id", BY_ID}, {"email", BY_EMAIL}, {NULL, 0}};
static const choice_t admins[] = {{"ask", 0}, {"all", 1}, {NULL, 0}};
static const choice_t audiences[] = {{"all", FOR_ALL}, {"members", FOR_MEMBERS}, {"admins", FOR_ADMINS}, {NULL, 0}};
static const choice_t peoples[] = {{"page", MM_CLOWDER_PEOPLE_PAGE},
                                   {"api", MM_CLOWDER_PEOPLE_API},
                                   {"self", MM_CLOWDER_PEOPLE_SELF},
                                   {"none", MM_CLOWDER_PEOPLE_NONE},
                                   {NULL, 0}};

/* *value stays where there is no such argument. */
static const char *choose(int *value, const char *name, const char *text, const choice_t *choices, apr_pool_t *pool)
{
    const char *words = "";
    for (const choice_t *choice = choices; choice->word; choice++) {
        if (!text || strcmp(text, choice->word) == 0) {
            *value = text ? choice->value : *value;
            return NULL;
        }
        words = apr_pstrcat(pool, words, choice == choices ? "" : ", ", choice->word, NULL);
    }
    return apr_psprintf(pool, "%s=%s is none of: %s", name, text, words);
}

static const char *parse_as(conf_t *conf, apr_pool_t *pconf, apr_pool_t *ptemp, const char *text)
{
    ap_expr_info_t *info = apr_pcalloc(pconf, sizeof(*info));
    info->module_index = APLOG_MODULE_INDEX;
    info->filename = "MetricsAuthz";
    info->line_number = 1;
    info->flags = AP_EXPR_FLAG_DONT_VARY | AP_EXPR_FLAG_STRING_RESULT;
    const char *wrong = ap_expr_parse(pconf, ptemp, info, text, NULL);
    conf->as = info;
    return wrong ? apr_psprintf(pconf, "cannot read as=\"%s\": %s", text, wrong) : NULL;
}

/* Where arguments are, as they stand in the line. */
typedef struct words {
    const char *server, *user, *as, *cookie, *keys, *passwords, *idle, *people, *admins, *reports, *strict, *me;
} words_t;

static const char *choose_all(conf_t *conf, const words_t *words, apr_pool_t *pool)
{
    int is_public = 0, strict = 0, user_by = BY_NOTHING, people = MM_CLOWDER_PEOPLE_PAGE, audience = FOR_ALL;
    const char *wrong[] = {
        choose(&is_public, "server", words->server, servers, pool),
        choose(&user_by, "user", words->user, user_bys, pool),
        choose(&conf->keys, "keys", words->keys, switches, pool),
        choose(&conf->passwords, "passwords", words->passwords, switches, pool),
        choose(&people, "people", words->people, peoples, pool),
        choose(&conf->admins_see_all, "admins", words->admins, admins, pool),
        choose(&audience, "reports", words->reports, audiences, pool),
        choose(&strict, "strict", words->strict, switches, pool),
    };
    conf->rules = (mm_clowder_rules_t){.is_public = is_public, .strict = strict, .people = (mm_clowder_people_t)people};
    conf->user_by = (user_by_t)user_by;
    conf->audience = (audience_t)audience;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (wrong[i]) {
            return wrong[i];
        }
    }
    return NULL;
}

static const char *finish(conf_t *conf, const words_t *words, apr_pool_t *pconf, apr_pool_t *ptemp)
{
    if (!words->server) {
        return "server=private or server=public must say which Clowder is (permissions= in its own configuration)";
    }
    if (words->as && conf->user_by == BY_NOTHING) {
        return "as= needs user=id or user=email, which says what its value is to Clowder";
    }
    if (words->idle && (ap_timeout_parameter_parse(words->idle, &conf->idle, "min") != APR_SUCCESS || conf->idle <= 0 ||
                        conf->idle > apr_time_from_sec(366 * 86400))) {
        return apr_psprintf(pconf, "idle=%s is no time such as 30min or 12h", words->idle);
    }
    if (words->me && (words->me[0] != '/' || words->cookie || words->keys || words->passwords || words->idle)) {
        return "me= is a path of this site, such as /api/me; what cookie=, keys=, passwords= and idle= are about, is "
               "Clowder's "
               "to judge then";
    }
    conf->me = words->me;
    conf->cookie = words->cookie ? words->cookie : COOKIE_DEFAULT;
    if (strcmp(conf->cookie, "none") == 0) {
        conf->cookie = NULL;
    }
    return words->as ? parse_as(conf, pconf, ptemp, words->as) : NULL;
}

static const char *clowder_configure(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, const char *args,
                                     const void **config)
{
    words_t words = {.server = NULL};
    const mm_arg_t known[] = {{"server", &words.server},   {"user", &words.user},     {"as", &words.as},
                              {"cookie", &words.cookie},   {"keys", &words.keys},     {"passwords", &words.passwords},
                              {"idle", &words.idle},       {"people", &words.people}, {"admins", &words.admins},
                              {"reports", &words.reports}, {"strict", &words.strict}, {"me", &words.me}};
    conf_t *conf = apr_pcalloc(pconf, sizeof(*conf));
    (void)s;
    conf->keys = 1;
    conf->idle = IDLE_DEFAULT;
    *config = conf;
    const char *wrong = mm_args_read(args, known, sizeof(known) / sizeof(known[0]), pconf);
    wrong = wrong ? wrong : choose_all(conf, &words, pconf);
    return wrong ? wrong : finish(conf, &words, pconf, ptemp);
}

/* --- who it is --- */

static apr_status_t give_up(request_rec *r, const mm_err_t *err)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "MM0512: MetricsAuthz clowder: %s", err->text);
    return err->status;
}

static const char *cookie_of(const request_rec *r, const char *name)
{
    const char *value;
    size_t len;
    return mm_cookie_find(apr_table_get(r->headers_in, "Cookie"), name, &value, &len)
               ? apr_pstrmemdup(r->pool, value, len)
               : NULL;
}

/* What httpd calls the requester; NULL for nobody in particular. */
static apr_status_t named_by_httpd(const char **name, request_rec *r, const conf_t *conf)
{
    *name = NULL;
    if (conf->user_by == BY_NOTHING) {
        return APR_SUCCESS;
    }
    const char *wrong = mm_authz_requester(name, r, conf->as);
    if (wrong) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "MM0513: MetricsAuthz clowder, as=: %s", wrong);
        return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

static apr_status_t find_named(mm_clowder_identity_t *identity, mm_store_t *store, const char *name, const conf_t *conf,
                               apr_pool_t *pool, mm_err_t *err)
{
    mm_clowder_who_t who = {.alone = true};
    mm_oid_t id;
    if (conf->user_by == BY_EMAIL) {
        who.email = name;
    }
    else if (mm_oid_parse(&id, name)) {
        who.id = &id;
    }
    else {
        return APR_SUCCESS;
    }
    return mm_clowder_find_user(&identity->user, store, &who, pool, err);
}

/* Whom Clowder itself takes the requester for. Who brings nothing is nobody, without asking. */
static apr_status_t ask_clowder(mm_clowder_identity_t *identity, mm_store_t *store, request_rec *r, const conf_t *conf,
                                mm_err_t *err)
{
    static const char *const credentials[] = {"Cookie", "Authorization", "X-API-Key"};
    const char *brought = NULL, *said = NULL;
    for (size_t i = 0; i < sizeof(credentials) / sizeof(credentials[0]) && !brought; i++) {
        brought = apr_table_get(r->headers_in, credentials[i]);
    }
    int status = brought ? mm_application_header(r, conf->me, "X-User-ID", &said) : HTTP_UNAUTHORIZED;
    mm_oid_t id;
    if (status == HTTP_REQUEST_TIME_OUT || status == HTTP_TOO_MANY_REQUESTS || status >= 500) {
        return mm_err_set(err, APR_EGENERAL, "%s answers %d", conf->me, status);
    }
    if (status == HTTP_OK && !(said && mm_oid_parse(&id, said))) {
        return mm_err_set(err, APR_EGENERAL, "%s answers without X-User-ID, so it is not Clowder's /api/me", conf->me);
    }
    const mm_clowder_who_t who = {.id = &id};
    identity->is_wrong = status != HTTP_OK && (apr_table_get(r->headers_in, "X-API-Key") != NULL);
    return status == HTTP_OK ? mm_clowder_find_user(&identity->user, store, &who, r->pool, err) : APR_SUCCESS;
}

/* A name that httpd vouches for wins over what else the request brings, also where Clowder does not know it. */
static apr_status_t identify(mm_clowder_identity_t *identity, mm_store_t *store, request_rec *r, const conf_t *conf,
                             mm_err_t *err)
{
    mm_clowder_brought_t brought = {.cookie = NULL};
    const char *name;
    apr_status_t rv = named_by_httpd(&name, r, conf);
    *identity = (mm_clowder_identity_t){.user = NULL};
    if (rv != APR_SUCCESS) {
        return mm_err_set(err, rv, "who asks cannot be told");
    }
    if (name) {
        return find_named(identity, store, name, conf, r->pool, err);
    }
    if (conf->me) {
        return ask_clowder(identity, store, r, conf, err);
    }
    if (conf->cookie) {
        brought.cookie = cookie_of(r, conf->cookie);
    }
    if (conf->passwords) {
        brought.authorization = apr_table_get(r->headers_in, "Authorization");
    }
    if (conf->keys) {
        brought.keys[0] = apr_table_get(r->headers_in, "X-API-Key");
    }
    return mm_clowder_identify(identity, store, &brought, apr_time_as_msec(conf->idle),
                               apr_time_as_msec(r->request_time), r->pool, err);
}

/* --- what that may do --- */

static mm_clowder_rank_t rank_of(request_rec *r, const conf_t *conf, const mm_clowder_user_t *user)
{
    if (!user) {
        return MM_CLOWDER_ANONYMOUS;
    }
    if (user->status == MM_CLOWDER_ADMIN) {
        const char *asks = cookie_of(r, SUPER_COOKIE);
        if (conf->admins_see_all || (asks && strcmp(asks, "true") == 0)) {
            return MM_CLOWDER_SUPER;
        }
    }
    return MM_CLOWDER_MEMBER;
}

/* Reports whose rows are asked about one by one. */
static int is_of_rows(const char *kind)
{
    return strcmp(kind, "totals") == 0 || strcmp(kind, "users") == 0 || strcmp(kind, "days") == 0;
}

static int may_begin(const conf_t *conf, const mm_clowder_identity_t *identity, const char *kind)
{
    const mm_clowder_user_t *user = identity->user;
    const int is_admin = user && user->status == MM_CLOWDER_ADMIN;
    if (conf->rules.strict && identity->is_wrong) {
        return 0;
    }
    if (strcmp(kind, "status") == 0 || conf->audience == FOR_ADMINS) {
        return is_admin && (is_of_rows(kind) || strcmp(kind, "status") == 0);
    }
    return is_of_rows(kind) && (user || conf->audience == FOR_ALL);
}

static apr_status_t passes_gate(int *passes, mm_store_t *store, const mm_clowder_user_t *user, mm_err_t *err)
{
    int64_t terms_ms = 0;
    apr_status_t rv = mm_clowder_terms(store, &terms_ms, err);
    *passes = rv == APR_SUCCESS && mm_clowder_gate(user->status, user->terms_ms, terms_ms);
    return rv;
}

/* Clowder would send them to a page that says so; here it is the administrator who can tell them. */
static void tell_refused(request_rec *r, const mm_clowder_user_t *user)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "MM0514: MetricsAuthz clowder: a user of Clowder's who %s asks in vain",
                  user->status == MM_CLOWDER_INACTIVE ? "is not activated" : "has not accepted the terms of service");
}

static apr_status_t clowder_open(request_rec *r, const void *config, const metrics_authz_query *query, void **state,
                                 metrics_verdict *verdict)
{
    const conf_t *conf = config;
    mm_clowder_identity_t identity;
    mm_store_t *store = NULL;
    mm_err_t err;
    int passes = 1;
    apr_status_t rv = mm_authz_catalog(&store, r, &err);
    if (rv == APR_SUCCESS) {
        rv = identify(&identity, store, r, conf, &err);
    }
    if (rv == APR_SUCCESS && identity.user) {
        rv = passes_gate(&passes, store, identity.user, &err);
    }
    if (rv != APR_SUCCESS) {
        return give_up(r, &err);
    }
    if (!passes) {
        tell_refused(r, identity.user);
    }
    *verdict = passes && may_begin(conf, &identity, query->kind) ? METRICS_GRANTED : METRICS_DENIED;
    if (*verdict == METRICS_GRANTED) {
        state_t *own = apr_palloc(r->pool, sizeof(*own));
        own->r = r;
        own->rights =
            mm_clowder_rights_make(store, &conf->rules, rank_of(r, conf, identity.user), identity.user, r->pool);
        *state = own;
    }
    return APR_SUCCESS;
}

static apr_status_t clowder_see_resources(void *state, const char *type, const char *const *ids, size_t n,
                                          metrics_verdict *verdicts, apr_pool_t *scratch)
{
    const state_t *own = state;
    mm_err_t err;
    apr_status_t rv = mm_clowder_rights_resources(own->rights, type, ids, n, verdicts, scratch, &err);
    return rv == APR_SUCCESS ? rv : give_up(own->r, &err);
}

static apr_status_t clowder_see_users(void *state, const char *const *users, size_t n, metrics_verdict *verdicts,
                                      apr_pool_t *scratch)
{
    const state_t *own = state;
    mm_err_t err;
    apr_status_t rv = mm_clowder_rights_people(own->rights, users, n, verdicts, scratch, &err);
    return rv == APR_SUCCESS ? rv : give_up(own->r, &err);
}

const metrics_authz_provider mm_authz_clowder = {.abi = METRICS_AUTHZ_ABI,
                                                 .size = sizeof(metrics_authz_provider),
                                                 .configure = clowder_configure,
                                                 .open = clowder_open,
                                                 .see_resources = clowder_see_resources,
                                                 .see_users = clowder_see_users};
