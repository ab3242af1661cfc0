/* Several providers as one. `any` shows what some member shows, `all` what every one does.
 *
 * The two are about rows, not about single answers: a row that names a person is shown by `any` only if one member
 * would show all of it, the resource and the person with it. Otherwise the resources of one and the people of another
 * would make rows that neither lets anybody see.
 *
 * A member that fails ends the report, also where another one would have granted: rows must not be missing silently.
 */
#include "authz/authz.h"
#include "authz/braces.h"
#include "authz/providers.h"

#include "apr_hash.h"
#include "apr_strings.h"
#include "http_log.h"

APLOG_USE_MODULE(metrics);

typedef struct state {
    request_rec *r;
    apr_array_header_t *members; /* of mm_authz_session_t *: those that let the report begin */
} state_t;

/* What is asked about: n resources of a type, or as many people with them. */
typedef struct items {
    const char *type;
    const char *const *ids;
    const char *const *users; /* NULL: about resources */
    size_t n;
} items_t;

static const char *configure(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, const char *args, const void **config)
{
    apr_array_header_t *members;
    const char *wrong = mm_braces_read(&members, args, pconf);
    for (int i = 0; !wrong && i < members->nelts; i++) {
        wrong = mm_authz_configure(APR_ARRAY_IDX(members, i, mm_authz_conf_t *), pconf, ptemp, s);
    }
    *config = members;
    return wrong;
}

static apr_status_t give_up(const state_t *state, const mm_err_t *err)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, state->r, "MM0509: of several providers: %s", err->text);
    return err->status;
}

/* Opens all members. */
static apr_status_t open_members(request_rec *r, const void *config, const metrics_authz_query *query, void **statev)
{
    const apr_array_header_t *members = config;
    state_t *state = apr_pcalloc(r->pool, sizeof(*state));
    state->r = r;
    state->members = apr_array_make(r->pool, members->nelts, sizeof(mm_authz_session_t *));
    *statev = state;
    for (int i = 0; i < members->nelts; i++) {
        mm_authz_session_t *session = NULL;
        metrics_verdict verdict = METRICS_DENIED;
        mm_err_t err;
        if (mm_authz_begin(&session, r, APR_ARRAY_IDX(members, i, mm_authz_conf_t *), query, &verdict, &err) !=
            APR_SUCCESS) {
            return give_up(state, &err);
        }
        if (verdict == METRICS_GRANTED) {
            APR_ARRAY_PUSH(state->members, mm_authz_session_t *) = session;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t any_open(request_rec *r, const void *config, const metrics_authz_query *query, void **statev,
                             metrics_verdict *verdict)
{
    apr_status_t rv = open_members(r, config, query, statev);
    *verdict = ((const state_t *)*statev)->members->nelts > 0 ? METRICS_GRANTED : METRICS_DENIED;
    return rv;
}

static apr_status_t all_open(request_rec *r, const void *config, const metrics_authz_query *query, void **statev,
                             metrics_verdict *verdict)
{
    const apr_array_header_t *members = config;
    apr_status_t rv = open_members(r, config, query, statev);
    *verdict = ((const state_t *)*statev)->members->nelts == members->nelts ? METRICS_GRANTED : METRICS_DENIED;
    return rv;
}

/* The items whose verdict is `which`; at[i] is where they come from. */
static items_t select_items(const items_t *items, const metrics_verdict *verdicts, int which, size_t *at,
                            apr_pool_t *pool)
{
    const char **ids = apr_palloc(pool, (items->n + 1) * sizeof(*ids));
    const char **users = items->users ? apr_palloc(pool, (items->n + 1) * sizeof(*users)) : NULL;
    items_t some = {items->type, ids, users, 0};
    for (size_t i = 0; i < items->n; i++) {
        if ((verdicts[i] == METRICS_GRANTED) == which) {
            ids[some.n] = items->ids[i];
            if (users) {
                users[some.n] = items->users[i];
            }
            at[some.n++] = i;
        }
    }
    return some;
}

/* Resources of pairs, each once. */
static apr_status_t ask_resources(mm_authz_session_t *member, const items_t *items, metrics_verdict *verdicts,
                                  apr_pool_t *pool, mm_err_t *err)
{
    apr_hash_t *known = apr_hash_make(pool);
    const char **ids = apr_palloc(pool, (items->n + 1) * sizeof(*ids));
    metrics_verdict *answers = apr_pcalloc(pool, items->n + 1);
    size_t *at = apr_palloc(pool, (items->n + 1) * sizeof(*at)), n = 0;
    for (size_t i = 0; i < items->n; i++) {
        const char **same = apr_hash_get(known, items->ids[i], APR_HASH_KEY_STRING);
        if (!same) {
            same = &ids[n++];
            *same = items->ids[i];
            apr_hash_set(known, items->ids[i], APR_HASH_KEY_STRING, same);
        }
        at[i] = (size_t)(same - ids);
    }
    apr_status_t rv = mm_authz_see_resources(member, items->type, ids, n, answers, err);
    for (size_t i = 0; i < items->n; i++) {
        verdicts[i] = rv == APR_SUCCESS ? answers[at[i]] : METRICS_DENIED;
    }
    return rv;
}

/* Asks a member about its own view of items: the resource and, where items are people, the person with it. */
static apr_status_t ask_member(mm_authz_session_t *member, const items_t *items, metrics_verdict *verdicts,
                               apr_pool_t *pool, mm_err_t *err)
{
    if (!items->users) {
        return mm_authz_see_resources(member, items->type, items->ids, items->n, verdicts, err);
    }
    size_t *at = apr_palloc(pool, (items->n + 1) * sizeof(*at));
    metrics_verdict *people = apr_pcalloc(pool, items->n + 1);
    apr_status_t rv = ask_resources(member, items, verdicts, pool, err);
    const items_t seen = select_items(items, verdicts, 1, at, pool);
    if (rv == APR_SUCCESS && seen.n > 0) {
        rv = mm_authz_see_users(member, seen.type, seen.ids, seen.users, seen.n, people, err);
    }
    memset(verdicts, METRICS_DENIED, items->n);
    for (size_t i = 0; i < seen.n && rv == APR_SUCCESS; i++) {
        verdicts[at[i]] = people[i];
    }
    return rv;
}

/* With all, every member has granted the resources of pairs before. */
static apr_status_t ask_one(mm_authz_session_t *member, int is_all, const items_t *items, metrics_verdict *verdicts,
                            apr_pool_t *pool, mm_err_t *err)
{
    return is_all && items->users
               ? mm_authz_see_users(member, items->type, items->ids, items->users, items->n, verdicts, err)
               : ask_member(member, items, verdicts, pool, err);
}

/* Each member is asked about what is still open: with any what nobody has granted, with all what everybody has. */
static apr_status_t ask(const state_t *state, int is_all, const items_t *items, metrics_verdict *verdicts,
                        apr_pool_t *scratch)
{
    size_t *at = apr_palloc(scratch, (items->n + 1) * sizeof(*at));
    metrics_verdict *answers = apr_palloc(scratch, items->n + 1);
    mm_err_t err;
    memset(verdicts, is_all ? METRICS_GRANTED : METRICS_DENIED, items->n);
    for (int i = 0; i < state->members->nelts; i++) {
        const items_t some = select_items(items, verdicts, is_all, at, scratch);
        if (some.n == 0) {
            break;
        }
        memset(answers, METRICS_DENIED, some.n);
        if (ask_one(APR_ARRAY_IDX(state->members, i, mm_authz_session_t *), is_all, &some, answers, scratch, &err) !=
            APR_SUCCESS) {
            memset(verdicts, METRICS_DENIED, items->n);
            return give_up(state, &err);
        }
        for (size_t item = 0; item < some.n; item++) {
            verdicts[at[item]] = answers[item] == METRICS_GRANTED ? METRICS_GRANTED : METRICS_DENIED;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t any_see_resources(void *state, const char *type, const char *const *ids, size_t n,
                                      metrics_verdict *verdicts, apr_pool_t *scratch)
{
    return ask(state, 0, &(items_t){type, ids, NULL, n}, verdicts, scratch);
}

static apr_status_t any_see_users_of(void *state, const char *type, const char *const *ids, const char *const *users,
                                     size_t n, metrics_verdict *verdicts, apr_pool_t *scratch)
{
    return ask(state, 0, &(items_t){type, ids, users, n}, verdicts, scratch);
}

static apr_status_t all_see_resources(void *state, const char *type, const char *const *ids, size_t n,
                                      metrics_verdict *verdicts, apr_pool_t *scratch)
{
    return ask(state, 1, &(items_t){type, ids, NULL, n}, verdicts, scratch);
}

static apr_status_t all_see_users_of(void *state, const char *type, const char *const *ids, const char *const *users,
                                     size_t n, metrics_verdict *verdicts, apr_pool_t *scratch)
{
    return ask(state, 1, &(items_t){type, ids, users, n}, verdicts, scratch);
}

/* What one member narrows to; *ids stays NULL where it does not. */
static apr_status_t narrow_one(const state_t *state, int member, const char *type, const char *const **ids, size_t *n,
                               apr_pool_t *pool)
{
    mm_err_t err;
    *ids = NULL;
    *n = 0;
    apr_status_t rv =
        mm_authz_narrow(APR_ARRAY_IDX(state->members, member, mm_authz_session_t *), type, ids, n, pool, &err);
    return rv == APR_SUCCESS ? rv : give_up(state, &err);
}

/* What all members narrow to, together; nothing where one of them does not narrow. */
static apr_status_t any_narrow(void *statev, const char *type, const char *const **ids, size_t *n, apr_pool_t *pool)
{
    const state_t *state = statev;
    apr_array_header_t *together = apr_array_make(pool, 16, sizeof(const char *));
    for (int i = 0; i < state->members->nelts; i++) {
        const char *const *some;
        size_t n_some;
        apr_status_t rv = narrow_one(state, i, type, &some, &n_some, pool);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (!some) {
            return APR_SUCCESS;
        }
        for (size_t id = 0; id < n_some; id++) {
            APR_ARRAY_PUSH(together, const char *) = some[id];
        }
    }
    *ids = (const char *const *)together->elts;
    *n = (size_t)together->nelts;
    return APR_SUCCESS;
}

/* What the member narrows to that narrows most. */
static apr_status_t all_narrow(void *statev, const char *type, const char *const **ids, size_t *n, apr_pool_t *pool)
{
    const state_t *state = statev;
    for (int i = 0; i < state->members->nelts; i++) {
        const char *const *some;
        size_t n_some;
        apr_status_t rv = narrow_one(state, i, type, &some, &n_some, pool);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (some && (!*ids || n_some < *n)) {
            *ids = some;
            *n = n_some;
        }
    }
    return APR_SUCCESS;
}

const metrics_authz_provider mm_authz_any = {.abi = METRICS_AUTHZ_ABI,
                                             .size = sizeof(metrics_authz_provider),
                                             .configure = configure,
                                             .open = any_open,
                                             .see_resources = any_see_resources,
                                             .see_users_of = any_see_users_of,
                                             .narrow = any_narrow};
const metrics_authz_provider mm_authz_all = {.abi = METRICS_AUTHZ_ABI,
                                             .size = sizeof(metrics_authz_provider),
                                             .configure = configure,
                                             .open = all_open,
                                             .see_resources = all_see_resources,
                                             .see_users_of = all_see_users_of,
                                             .narrow = all_narrow};
