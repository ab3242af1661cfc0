/* The directives that name lists of agents, and the look at those lists before httpd serves.
 *
 * A mistake in the configuration itself keeps httpd from starting, as everywhere. A list that cannot be read does so
 * only at the start: lists are data that packages replace, and a reload, which a rotation of logs is enough for, must
 * not end a whole site for the sake of its statistics. After such a reload the drainer waits for its lists, and events
 * wait in the spool.
 */
#include "config/directives.h"

#include "ap_mpm.h"
#include "apr_strings.h"
#include "http_core.h"
#include "http_log.h"

#include "agents/agents.h"

APLOG_USE_MODULE(metrics);

static const char *add_list(cmd_parms *cmd, apr_array_header_t *list, const char *path)
{
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    const char *absolute = ap_server_root_relative(cmd->pool, path);
    if (wrong) {
        return wrong;
    }
    if (!absolute) {
        return apr_psprintf(cmd->pool, "%s: \"%s\" is no path of a file", cmd->cmd->name, path);
    }
    APR_ARRAY_PUSH(list, const char *) = absolute;
    return NULL;
}

const char *mm_set_robots(cmd_parms *cmd, void *dir, const char *path)
{
    (void)dir;
    return add_list(cmd, mm_config_being_read()->robots, path);
}

const char *mm_set_machines(cmd_parms *cmd, void *dir, const char *path)
{
    (void)dir;
    return add_list(cmd, mm_config_being_read()->machines, path);
}

const char *mm_set_allow_agents(cmd_parms *cmd, void *dir, const char *expression)
{
    (void)dir;
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    mm_err_t err;
    if (wrong) {
        return wrong;
    }
    if (mm_agents_check_allow(expression, cmd->cmd->name, cmd->temp_pool, &err) != APR_SUCCESS) {
        return apr_pstrdup(cmd->pool, err.text);
    }
    APR_ARRAY_PUSH(mm_config_being_read()->allow_agents, const char *) = expression;
    return NULL;
}

static void log_to_httpd(void *baton, mm_log_level_t level, const char *tag, const char *text)
{
    if (level > MM_LOG_WARNING) {
        return;
    }
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, baton, "%s: %s", tag, text);
}

int mm_config_is_reload(void)
{
    int generation = 0;
    return ap_mpm_query(AP_MPMQ_GENERATION, &generation) == APR_SUCCESS && generation > 0;
}

int mm_agent_lists_check(const mm_config_t *config, server_rec *s)
{
    const mm_agents_sources_t sources = {config->robots, config->machines, config->allow_agents};
    const mm_log_t log = {log_to_httpd, s};
    /* Otherwise the drainer tells what it leaves out. */
    int tells = ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST;
    apr_pool_t *pool = NULL;
    mm_agents_t *agents;
    mm_err_t err;
    int status = OK;
    apr_pool_create(&pool, config->pool);
    if (mm_agents_load(&agents, &sources, tells ? &log : NULL, pool, &err) != APR_SUCCESS) {
        int reload = mm_config_is_reload();
        ap_log_error(
            APLOG_MARK, APLOG_ERR, 0, s,
            "MM0306: a list of MetricsRobots or MetricsMachines cannot be used: %s. Mend the file, or take the "
            "directive out%s",
            err.text, reload ? ". httpd goes on; until then events wait in the spool" : "");
        status = reload ? OK : HTTP_INTERNAL_SERVER_ERROR;
    }
    apr_pool_destroy(pool);
    return status;
}
