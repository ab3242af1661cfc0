/* What the administrator wrote, validated. Everything here lives in pconf and is read-only once httpd serves.
 *
 * Server settings are global: they stand outside any <VirtualHost> and there is one of each. Directory settings merge
 * as httpd's do, the inner section winning field by field; a
 * field that no section sets stays "unset".
 */
#ifndef MM_CONFIG_H
#define MM_CONFIG_H

#include "httpd.h"
#include "http_config.h"
#include "ap_expr.h"
#include "base/err.h"
#include "base/sync.h"
#include "mod_metrics.h"
#include "report/dsr_names.h"
#include "report/temp.h"
#include "rules/rules.h"
#include "store/catalog.h"

extern module AP_MODULE_DECLARE_DATA metrics_module;

/* One <MetricsType>. */
typedef struct mm_type {
    const char *name;
    mm_catalog_t *catalog; /* NULL without MetricsCatalog */
} mm_type_t;

/* One MetricsAuthz line: which provider was asked for, and what became of it. */
typedef struct mm_authz_conf {
    const char *provider_name;
    const char *args;
    const char *file; /* where it was written, for messages */
    unsigned line;
    const metrics_authz_provider *provider; /* NULL: no such provider; then nothing is shown */
    const void *config;                     /* of the provider */
} mm_authz_conf_t;

typedef struct mm_agent_rule {
    const char *class_mark;
    const ap_expr_info_t *when;
} mm_agent_rule_t;

/* One MetricsIdentity: where in a request the application looks for who the visitor is. NULL where it does not. */
typedef struct mm_identity_conf {
    const char *cookie;    /* of a session */
    const char *header;    /* with a key */
    const char *parameter; /* of the query, with a key */
    const char *commkey;   /* the SHA-256 of the key that is the application's own */
} mm_identity_conf_t;

/* Global settings; see mm_config_get. NULL or 0 where not set. */
typedef struct mm_config {
    apr_pool_t *pool;
    const char *mongo_uri;      /* secret: never log it, see mm_store_redact_uri */
    const char *mongo_uri_file; /* where it came from, if it was written as file:PATH */
    const char *catalog_uri;    /* NULL: the documents are in mongo_uri's database */
    const char *catalog_uri_file;
    const char *spool_dir;        /* absolute */
    mm_sync_t spool_sync;         /* MetricsSpool sync= */
    int64_t spool_max;            /* MetricsSpool max=, bytes; 0: as much as the disk holds */
    const char *prefix;           /* MetricsCollectionPrefix */
    int64_t interval_us;          /* MetricsFlushInterval; 0: the drainer's default */
    int64_t double_click_ms;      /* MetricsDoubleClick; 0: off */
    apr_array_header_t *robots;   /* MetricsRobots, of const char *: absolute paths; never NULL, like the next two */
    apr_array_header_t *machines; /* MetricsMachines, the same */
    apr_array_header_t *allow_agents;  /* MetricsAllowAgents, of const char *: expressions */
    mm_temp_t report_temp;             /* MetricsReportTemp */
    int max_reports;                   /* MetricsMaxReports */
    apr_interval_time_t authz_timeout; /* MetricsAuthzTimeout */
    mm_dsr_names_t counter;            /* MetricsCounter; NULL where the server's name takes its place */
    apr_array_header_t *counter_types; /* of const char *: what is a dataset there; never NULL once checked */
    int drainer;               /* MetricsDrainer: 1 (default) supervise one, 0 somebody else runs metricsctl drain */
    apr_array_header_t *types; /* of mm_type_t, as configured */
    const char *const *type_names; /* the same, NULL-terminated; n is types->nelts; set by mm_config_check */
    apr_array_header_t *catalogs;  /* of mm_catalog_t *, those that exist; set by mm_config_check */
    apr_array_header_t *people;    /* MetricsCatalogUsers: of one mm_catalog_t *; NULL: nobody's name is known */
    mm_rules_t *rules;             /* never NULL */
    apr_array_header_t *authz;     /* of mm_authz_conf_t *, every MetricsAuthz line anywhere */
    apr_array_header_t *nobodies;  /* MetricsAnonymousUser, of const char * */
    int records;                   /* some section says MetricsCapture On or MetricsRecord On */
    int captures;                  /* some section says MetricsCapture On */
} mm_config_t;

#define MM_UNSET (-1)

/* Directory settings. tests/check/dir_settings.py holds create and merge against this struct. */
typedef struct mm_dir_config {
    int capture;                /* MetricsCapture: MM_UNSET 0 1; default 0 */
    int record;                 /* MetricsRecord:  MM_UNSET 0 1; default 0 */
    const ap_expr_info_t *user; /* MetricsUser: a string expression; NULL: r->user */
    apr_array_header_t
        *agents; /* MetricsAgent, of mm_agent_rule_t; NULL: unset; the inner section replaces the outer's */
    apr_array_header_t
        *ignores; /* MetricsIgnore, of const ap_expr_info_t *; NULL: unset (then tracking=false|0 is ignored) */
    const mm_identity_conf_t *identity; /* MetricsIdentity; NULL: unset; nothing is looked for */
    const char *session_cookie;         /* MetricsSessionCookie; NULL: unset; "" after `none` */
    mm_authz_conf_t *authz;             /* MetricsAuthz; NULL: unset: nothing is shown */
} mm_dir_config_t;

extern const command_rec mm_config_commands[];

void *mm_dir_config_create(apr_pool_t *pool, char *dir);
void *mm_dir_config_merge(apr_pool_t *pool, void *base, void *add);
void *mm_server_config_create(apr_pool_t *pool, server_rec *s);

void *mm_server_config_merge(apr_pool_t *pool, void *base, void *add);

/* The global settings, from any server. Never NULL. */
const mm_config_t *mm_config_get(const server_rec *s);

/* The configured type of this name, or NULL. */
mm_type_t *mm_config_type(const mm_config_t *config, const char *name);

/* Whether this run of the configuration is one of a server that already serves: a mistake must not end it. */
int mm_config_is_reload(void);

const mm_dir_config_t *mm_dir_config_get(const request_rec *r);

/* For the check_config hook, which also runs for apachectl -t: settings that contradict each other or lack one another.
 * Logs a sentence for each that says what to do and returns OK or HTTP_INTERNAL_SERVER_ERROR. */
int mm_config_check(server_rec *s);

#endif
