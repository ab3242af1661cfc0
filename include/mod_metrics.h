/* Licensed under the Apache License, Version 2.0; see LICENSE.
 *
 * mod_metrics.h - what other httpd modules may use of mod_metrics: a provider of permissions ("who may see what"), and
 * a function to record a use. Neither makes a link dependency: include this header, register, retrieve.
 *
 * PERMISSIONS. A report asks two questions: which resources may the requester see, and which other people. A module
 * answers them by registering a provider in its register_hooks:
 *
 *     static const metrics_authz_provider provider = {
 *         .abi = METRICS_AUTHZ_ABI,
 *         .size = sizeof(metrics_authz_provider),
 *         .open = my_open,
 *         .see_resources = my_see_resources
 *     };
 *     ap_register_provider(pool, METRICS_AUTHZ_GROUP, "mine", METRICS_AUTHZ_VERSION, &provider);
 *
 * and the administrator names it: MetricsAuthz mine [ARGUMENTS]. The name is looked up at every start and reload, so
 * the order of LoadModule does not matter. examples/mod_metrics_authz_example.c is a whole module.
 *
 * What a provider may rely on: it is asked about every resource and every person before anything of them is sent, in
 * batches, so that a million rows are some thousand calls. What everybody else may rely on: everything is denied unless
 * granted. An unknown provider, one built for another version, an error, an answer that came too late, a verdict that
 * is neither of the two: all of these mean "not shown". No answer of a provider can show more than the request asked
 * for.
 *
 * TIME. All functions run on the request's thread, which nobody can take away from them: mod_metrics looks at the clock
 * when a function returns, throws away an answer that took longer than MetricsAuthzTimeout, and ends the report (503,
 * or a broken transfer where rows were sent). So a provider that hangs shows nothing, but it holds a thread of httpd
 * for as long. Whoever asks a network must set a time-out there; query->patience says which is enough.
 *
 * THREADS. One report is one thread; several reports run at once, with the same config and each its own state.
 *
 * VERSIONS. The struct grows at its end only. A provider that was compiled with an older header says so by its size,
 * and what it does not have counts as NULL; one from a newer header is refused, since it may rely on being asked what
 * this mod_metrics does not ask. METRICS_AUTHZ_ABI changes when the meaning of a function does.
 */
#ifndef MOD_METRICS_H
#define MOD_METRICS_H

#include "httpd.h"
#include "http_config.h"
#include "apr_optional.h"

#ifdef __cplusplus
extern "C" {
#endif

#define METRICS_AUTHZ_GROUP   "metrics_authz"
#define METRICS_AUTHZ_VERSION "1"
/* First field of the struct below; changes whenever the meaning of one of its functions does. */
#define METRICS_AUTHZ_ABI 1
/* So many ids may narrow a report at most. */
#define METRICS_AUTHZ_NARROW_MAX 10000

/* A verdict about one resource or person, or about a whole report. Any other value counts as METRICS_DENIED. */
typedef unsigned char metrics_verdict;
#define METRICS_DENIED  0
#define METRICS_GRANTED 1

/* What a report is about, as far as it is known before its first row. Lives as long as the request. It may grow at its
 * end. */
typedef struct metrics_authz_query {
    const char *type; /* "datasets", …; NULL when the report covers all types */
    const char *id;   /* the one resource asked for; NULL for a report about many */
    int per_user;     /* 1 when rows name people, as users or as owners: see_users will be asked too */
    /* "totals", which COUNTER reports are, too; "users": a row is of a resource and a person; or "status": the health
     * of the server, which names no resource and no person; a provider decides about it in open alone. Others may
     * follow: deny what you do not know.
     */
    const char *kind;
    /* Only what has this parent is asked for; NULL: whatever its parents. see_resources will be asked about it, too. */
    const char *parent_type, *parent_id;
    apr_interval_time_t patience; /* an answer that takes longer is thrown away; MetricsAuthzTimeout */
} metrics_authz_query;

typedef struct metrics_authz_provider {
    unsigned int abi; /* METRICS_AUTHZ_ABI */
    size_t size;      /* sizeof(metrics_authz_provider) as the provider was compiled */

    /* Once for each MetricsAuthz line, at every start and reload (httpd reads its configuration twice at the first
     * start), in the parent, before any request. args is the rest of the line ("" if there is none). Sets *config to
     * whatever the other functions need, allocated from pconf; it is read by all threads and must not change later.
     * Returns NULL, or a sentence that says what is wrong with the line: httpd does not start then. May be NULL: then
     * arguments are refused and config is NULL. */
    const char *(*configure)(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, const char *args,
                             const void **config);

    /* Once for each report, on the request's thread, after httpd's own access control. Sets *verdict: METRICS_GRANTED
     * lets the report begin, METRICS_DENIED ends it with 401 (r->user is NULL) or 403. Sets *state for the calls below;
     * allocate it from r->pool. Returns APR_SUCCESS, or an error: the report ends with 503 and nothing is shown. May
     * read from the network, but not longer than a visitor would wait. Must not be NULL. */
    apr_status_t (*open)(request_rec *r, const void *config, const metrics_authz_query *query, void **state,
                         metrics_verdict *verdict);

    /* Which of n resources of one type the requester may see; n is at most some hundreds, ids are zero-terminated and
     * unique within the call. verdicts[i] is METRICS_DENIED on entry; set it to METRICS_GRANTED where ids[i] may be
     * seen. Called any number of times between open and close, on the request's thread, also for the parents of rows.
     * The ids and the arrays belong to the caller and are gone when it returns; scratch is cleared after each call. An
     * error ends the report; no row of this batch is shown. NULL means: open decides for all resources. */
    apr_status_t (*see_resources)(void *state, const char *type, const char *const *ids, size_t n,
                                  metrics_verdict *verdicts, apr_pool_t *scratch);

    /* The same for people: which of n users may be named to the requester, whatever they are named with. NULL means:
     * nobody may. Not called where there is see_users_of. */
    apr_status_t (*see_users)(void *state, const char *const *users, size_t n, metrics_verdict *verdicts,
                              apr_pool_t *scratch);

    /* Once for each successful open, whatever became of the report, also when the client went away. May be NULL. */
    void (*close)(void *state);

    /* Behind this stands what came later; NULL where a provider has none of it. */

    /* People, where it matters what they are named with, as "who used what is mine": which of the n pairs of a resource
     * and a person may be shown; ids[i] is a resource of the type that users[i] has used, or owns. see_resources has
     * granted ids[i] before. Pairs are unique within the call, ids and users are not. Otherwise as see_resources. */
    apr_status_t (*see_users_of)(void *state, const char *type, const char *const *ids, const char *const *users,
                                 size_t n, metrics_verdict *verdicts, apr_pool_t *scratch);

    /* A provider that knows beforehand which few resources the requester may see can say so, and a report on all
     * resources of a type reads only these from the database. Once for each type of such a report, before its first
     * see_resources. Sets *ids and *n, from pool, to no more than METRICS_AUTHZ_NARROW_MAX ids, in any order; *n == 0
     * with *ids not NULL is an empty report. Leaving *ids NULL narrows nothing; so does a list that is too long, or
     * comes too late. This saves time and is no permission: see_resources is asked about every one of them that has
     * rows. */
    apr_status_t (*narrow)(void *state, const char *type, const char *const **ids, size_t *n, apr_pool_t *pool);
} metrics_authz_provider;

/* RECORDING. For modules that know of uses which no URL shows (a WebDAV copy, a mount, …):
 *
 *     static APR_OPTIONAL_FN_TYPE(metrics_record) *record;
 *     record = APR_RETRIEVE_OPTIONAL_FN(metrics_record);    in the hook optional_fn_retrieve, or in post_config
 *     if (record) {
 *         record(r, "datasets", id, "download", r->user);   in any hook of a request
 *     }
 *
 * Appends one event to the spool, with the time, address and agent of r; it is then counted by the same rules as a
 * visit. action is "view" or "download"; user may be NULL. All strings are copied. Returns APR_SUCCESS once the event
 * is in the spool, APR_EINVAL for an unknown type or action or an id or user beyond the limits, APR_ENOTIMPL when no
 * spool is configured, another error when it could not be written or the spool is at its limit. Any thread of a child
 * process. It does not block on anything but the local disk. */
APR_DECLARE_OPTIONAL_FN(apr_status_t, metrics_record,
                        (request_rec * r, const char *type, const char *id, const char *action, const char *user));

#ifdef __cplusplus
}
#endif

#endif
