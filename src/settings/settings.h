/* SPOOL/settings.json: what metricsctl needs to know of the site, written by httpd at each start and reload.
 *
 * So `metricsctl drain`, `import` and `explain` count as httpd's own drainer does, with nothing more to say than where
 * the spool is. No secret is in it: of the database only the path of a file that holds the URI.
 *
 * A new setting is a member of mm_settings_t (or of mm_settings_rule_t) and one line in a table of settings.c; whoever
 * fills it in is src/supervise/site.c. Members that a reader does not know are passed over.
 */
#ifndef MM_SETTINGS_H
#define MM_SETTINGS_H

#include <stddef.h>
#include <stdint.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include "base/err.h"
#include "base/log.h"
#include "count/policy.h"
#include "rules/rules.h"

#define MM_SETTINGS_FILE "settings.json"
/* Raised when a reader that passes over what it does not know would count wrongly. */
#define MM_SETTINGS_VERSION 1
/* Bytes of the file, bytes of one text, elements of one list. */
#define MM_SETTINGS_MAX      (4 * 1024 * 1024)
#define MM_SETTINGS_TEXT_MAX (64 * 1024)
#define MM_SETTINGS_LIST_MAX 10000

/* One MetricsView or MetricsDownload. */
typedef struct mm_settings_rule {
    const char *type;
    const char *action; /* "view", "download" */
    const char *pattern;
    const char *query, *via; /* its options; NULL: not there */
    const char *letter_case; /* "lower", or NULL */
} mm_settings_rule_t;

/* NULL or 0 where not set; a list is never NULL behind mm_settings_create and mm_settings_parse. */
typedef struct mm_settings {
    int64_t version;
    int64_t recording_since_ms;            /* requests have been recorded into this spool since then; 0: never */
    const char *mongo_uri_file;            /* MetricsMongoURI file:PATH */
    const char *catalog_uri_file;          /* MetricsCatalogURI file:PATH */
    apr_array_header_t *nobodies;          /* MetricsAnonymousUser, of const char * */
    int64_t double_click_ms;               /* MetricsDoubleClick; 0: off. 30 s in a file that does not say it */
    apr_array_header_t *robots, *machines; /* MetricsRobots, MetricsMachines: of const char *, paths */
    apr_array_header_t *allow_agents;      /* MetricsAllowAgents: of const char *, expressions */
    const char *prefix;                    /* MetricsCollectionPrefix */
    apr_array_header_t *types;             /* of const char *, as configured */
    apr_array_header_t *rules;             /* of mm_settings_rule_t, in the order in which they are tried */
} mm_settings_t;

/* An empty one of this version. */
mm_settings_t *mm_settings_create(apr_pool_t *pool);

/* As JSON, a line of its own for each setting. NULL: there is something in it that has no place in JSON (never for what
 * comes out of a configuration). */
const char *mm_settings_print(const mm_settings_t *settings, apr_pool_t *pool);

/* Puts it into DIR, atomically, readable for the group of the directory (0640), owned by the directory's owner when
 * we are root. */
apr_status_t mm_settings_write(const mm_settings_t *settings, const char *dir, apr_pool_t *pool, mm_err_t *err);

/* APR_EINVAL and a sentence for what is not a settings file of this version. */
apr_status_t mm_settings_parse(mm_settings_t **settings, const char *text, size_t len, apr_pool_t *pool, mm_err_t *err);

/* Reads a file. APR_ENOENT: there is none. */
apr_status_t mm_settings_read(mm_settings_t **settings, const char *path, apr_pool_t *pool, mm_err_t *err);

/* How this site counts, with the lists of agents read from their files. An error as of mm_agents_load. */
apr_status_t mm_settings_policy(mm_policy_t *policy, const mm_settings_t *settings, const mm_log_t *log,
                                apr_pool_t *pool, mm_err_t *err);

/* The rules, compiled. APR_EINVAL as mm_rules_add. */
apr_status_t mm_settings_rules(mm_rules_t **rules, const mm_settings_t *settings, apr_pool_t *pool, mm_err_t *err);

#endif
