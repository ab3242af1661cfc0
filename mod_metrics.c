/* mod_metrics: how a research-data repository is used. The module record and its hooks, nothing else; README.md says
 * in which order to read the rest.
 */
#include "httpd.h"
#include "http_config.h"
#include "http_core.h"
#include "http_protocol.h"
#include "mpm_common.h"
#include "mod_metrics.h"

#include "authz/authz.h"
#include "capture/capture.h"
#include "capture/recorder.h"
#include "config/config.h"
#include "serve/handler.h"
#include "supervise/supervise.h"

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    (void)pconf;
    (void)plog;
    (void)ptemp;
    mm_recorder_reset();
    mm_supervise_reset();
    return OK;
}

static int check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    (void)plog;
    int status = mm_config_check(s);
    return status == OK ? mm_authz_resolve(pconf, ptemp, s) : status;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    (void)plog;
    (void)ptemp;
    /* httpd reads its configuration twice at its first start; only the second reading is served from. */
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    int status = mm_handler_post_config(pconf, s);
    return status == OK ? mm_supervise_start(pconf, s) : status;
}

static void child_init(apr_pool_t *pchild, server_rec *s)
{
    (void)pchild;
    mm_recorder_child_init(s);
    mm_handler_child_init(s);
}

static apr_status_t metrics_record(request_rec *r, const char *type, const char *id, const char *action,
                                   const char *user)
{
    return mm_capture_record(r, type, id, action, user);
}

static int monitor(apr_pool_t *pool, server_rec *s)
{
    (void)pool;
    (void)s;
    return mm_supervise_monitor();
}

static void register_hooks(apr_pool_t *pool)
{
    mm_authz_register(pool);
    APR_REGISTER_OPTIONAL_FN(metrics_record);
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_monitor(monitor, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
    /* Before mod_proxy, which would take /metrics when all of / is proxied. */
    ap_hook_handler(mm_handler, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_log_transaction(mm_capture_log_transaction, NULL, NULL, APR_HOOK_LAST);
}

__attribute__((visibility("default"))) AP_DECLARE_MODULE(metrics) = {
    STANDARD20_MODULE_STUFF, mm_dir_config_create, mm_dir_config_merge, mm_server_config_create,
    mm_server_config_merge,  mm_config_commands,   register_hooks,      AP_MODULE_FLAG_NONE};
