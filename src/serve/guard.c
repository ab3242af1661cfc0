/* One permission session for each MetricsAuthz line that is in force at the report's address or at that of one of its
 * types; usually there is only one. A type is asked about when it is first met: those of the report's rows at once,
 * those of parents when a row has one. A type whose rows name users is asked about at /TYPE/users, whose sections are
 * those of /TYPE unless somebody wrote one for it.
 */
#include "serve/guard.h"

#include "apr_strings.h"
#include "http_request.h"

#include "config/config.h"

typedef struct session {
    const mm_authz_conf_t *conf;
    mm_authz_session_t *session;
    int status; /* OK, or the answer to whoever asks for what conf guards */
    mm_err_t why;
} session_t;

struct mm_guard {
    request_rec *r;
    const mm_config_t *config;
    const mm_location_t *location;
    const mm_route_t *route; /* NULL for /status */
    metrics_authz_query query;
    apr_array_header_t *sessions; /* of session_t * */
    const session_t **types;      /* in the configured order; NULL: not asked about yet */
};

static const session_t *session_of(mm_guard_t *guard, const mm_authz_conf_t *conf)
{
    for (int i = 0; i < guard->sessions->nelts; i++) {
        const session_t *known = APR_ARRAY_IDX(guard->sessions, i, session_t *);
        if (known->conf == conf) {
            return known;
        }
    }
    session_t *made = apr_pcalloc(guard->r->pool, sizeof(*made));
    made->conf = conf;
    made->status = mm_authz_open(&made->session, guard->r, conf, &guard->query, &made->why);
    APR_ARRAY_PUSH(guard->sessions, session_t *) = made;
    return made;
}

static const session_t *closed(mm_guard_t *guard)
{
    session_t *made = apr_pcalloc(guard->r->pool, sizeof(*made));
    made->status = mm_authz_denied(guard->r, &made->why);
    return made;
}

/* The session for the own address of a type, or of what else there is below the Location; a closed one if httpd's
 * access control keeps the requester from it. */
static const session_t *ask(mm_guard_t *guard, const char *name)
{
    request_rec *r = guard->r;
    if (guard->location->rest[0] == '/' && strcmp(guard->location->rest + 1, name) == 0) {
        return session_of(guard, mm_dir_config_get(r)->authz);
    }
    const char *address = apr_pstrcat(r->pool, guard->location->base, "/", name, NULL);
    request_rec *sub = ap_sub_req_lookup_uri(ap_escape_uri(r->pool, address), r, NULL);
    if (sub->status != HTTP_OK) {
        ap_destroy_sub_req(sub);
        return closed(guard);
    }
    /* A provider that asks other modules, as `group` does, asks them by the settings of that address: a file of groups,
     * say. They live as long as the subrequest, so that stays. */
    ap_conf_vector_t *here = r->per_dir_config;
    const mm_authz_conf_t *conf = mm_dir_config_get(sub)->authz;
    r->per_dir_config = sub->per_dir_config;
    const session_t *session = session_of(guard, conf);
    r->per_dir_config = here;
    return session;
}

/* Whether the report has rows of this type that are of users. */
static int has_users_of(const mm_guard_t *guard, const char *type)
{
    const mm_route_t *route = guard->route;
    return mm_route_is_per_user(route) && (!route->type || strcmp(route->type, type) == 0);
}

static const session_t *session_of_type(mm_guard_t *guard, const char *type)
{
    for (int i = 0; i < guard->config->types->nelts; i++) {
        if (strcmp(guard->config->type_names[i], type) == 0) {
            if (!guard->types[i]) {
                const char *users = apr_pstrcat(guard->r->pool, type, "/users", NULL);
                guard->types[i] = ask(guard, has_users_of(guard, type) ? users : type);
            }
            return guard->types[i];
        }
    }
    return NULL;
}

static int refused(const session_t *session, mm_err_t *err)
{
    *err = session->why;
    return session->status;
}

static mm_guard_t *make(request_rec *r, const mm_location_t *location, const char *kind)
{
    const mm_config_t *config = mm_config_get(r->server);
    mm_guard_t *made = apr_pcalloc(r->pool, sizeof(*made));
    made->r = r;
    made->config = config;
    made->location = location;
    made->query.kind = kind;
    made->sessions = apr_array_make(r->pool, 2, sizeof(session_t *));
    made->types = apr_pcalloc(r->pool, sizeof(*made->types) * ((size_t)config->types->nelts + 1));
    return made;
}

int mm_guard_status(request_rec *r, const mm_location_t *location, mm_err_t *err)
{
    mm_guard_t *guard = make(r, location, "status");
    const session_t *session = session_of(guard, mm_dir_config_get(r)->authz);
    if (session->status == OK) {
        session = ask(guard, "status");
    }
    return session->status == OK ? OK : refused(session, err);
}

int mm_guard_open(mm_guard_t **guard, const char *const **types, size_t *n_types, request_rec *r,
                  const mm_route_t *route, const mm_location_t *location, mm_err_t *err)
{
    const mm_config_t *config = mm_config_get(r->server);
    mm_guard_t *made = make(r, location, mm_route_is_per_user(route) ? "users" : "totals");
    made->route = route;
    made->query.type = route->type;
    made->query.id = route->id;
    made->query.per_user = mm_route_names_people(route);
    made->query.parent_type = route->parent_type;
    made->query.parent_id = route->parent_id;
    const session_t *here = session_of(made, mm_dir_config_get(r)->authz);
    if (here->status != OK) {
        return refused(here, err);
    }
    const char **open = apr_pcalloc(r->pool, sizeof(*open) * ((size_t)config->types->nelts + 1));
    *n_types = 0;
    for (int i = 0; i < config->types->nelts; i++) {
        const char *type = config->type_names[i];
        if (route->type && strcmp(route->type, type) != 0) {
            continue;
        }
        const session_t *session = session_of_type(made, type);
        if (session->status == OK) {
            open[(*n_types)++] = type;
        }
        else if (route->type) {
            return refused(session, err);
        }
    }
    *types = open;
    *guard = made;
    return OK;
}

apr_status_t mm_guard_see_resources(void *guard, const char *type, const char *const *ids, size_t n,
                                    unsigned char *verdicts, mm_err_t *err)
{
    const session_t *session = session_of_type(guard, type);
    memset(verdicts, METRICS_DENIED, n);
    if (!session || session->status != OK) {
        return APR_SUCCESS;
    }
    return mm_authz_see_resources(session->session, type, ids, n, verdicts, err);
}

apr_status_t mm_guard_see_users(void *guard, const char *type, const char *const *ids, const char *const *users,
                                size_t n, unsigned char *verdicts, mm_err_t *err)
{
    const session_t *session = session_of_type(guard, type);
    memset(verdicts, METRICS_DENIED, n);
    if (!session || session->status != OK) {
        return APR_SUCCESS;
    }
    return mm_authz_see_users(session->session, type, ids, users, n, verdicts, err);
}

bool mm_guard_sees_all(void *guard, const char *type)
{
    const session_t *session = session_of_type(guard, type);
    return session && session->status == OK && mm_authz_sees_all(session->session);
}

apr_status_t mm_guard_narrow(void *guard, const char *type, const char *const **ids, size_t *n, apr_pool_t *pool,
                             mm_err_t *err)
{
    const session_t *session = session_of_type(guard, type);
    *ids = NULL;
    *n = 0;
    if (!session || session->status != OK) {
        return APR_SUCCESS;
    }
    return mm_authz_narrow(session->session, type, ids, n, pool, err);
}
