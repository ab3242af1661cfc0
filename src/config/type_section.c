/* <MetricsType NAME> … </MetricsType>: which requests are uses of a resource of this type, and where its names are.
 *
 * A section may be repeated: rules add up, so a preset can be extended; the last catalogue wins.
 */
#include "config/directives.h"

#include "apr_strings.h"
#include "base/text.h"
#include "route/route.h"
#include "store/via.h"

/* The one word between "<MetricsType" and ">", or NULL. */
static const char *section_name(apr_pool_t *pool, const char *args)
{
    const char *end = ap_strrchr_c(args, '>');
    if (!end) {
        return NULL;
    }
    const char *words = apr_pstrmemdup(pool, args, (size_t)(end - args));
    const char *name = ap_getword_conf(pool, &words);
    return *words ? NULL : name;
}

/* A directive that belongs elsewhere would take effect outside the section, which nobody would expect. */
static const char *check_content(const cmd_parms *cmd)
{
    static const char *const known[] = {"MetricsView", "MetricsDownload", "MetricsCatalog", NULL};
    for (const ap_directive_t *child = cmd->directive->first_child; child; child = child->next) {
        int i = 0;
        while (known[i] && ap_cstr_casecmp(known[i], child->directive) != 0) {
            i++;
        }
        if (!known[i]) {
            return apr_psprintf(cmd->pool,
                                "%s (line %d) does not belong inside <MetricsType>; MetricsView, MetricsDownload and "
                                "MetricsCatalog do",
                                child->directive, child->line_num);
        }
    }
    return NULL;
}

static mm_type_t *find_or_add(mm_config_t *config, const char *name)
{
    mm_type_t *type = mm_config_type(config, name);
    if (type) {
        return type;
    }
    type = apr_array_push(config->types);
    type->name = apr_pstrdup(config->pool, name);
    type->catalog = NULL;
    return type;
}

const char *mm_set_type_section(cmd_parms *cmd, void *dir, const char *args)
{
    (void)dir;
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    if (wrong) {
        return wrong;
    }
    const char *name = section_name(cmd->temp_pool, args);
    if (!name) {
        return "<MetricsType> takes one name, as <MetricsType datasets>";
    }
    if (!mm_text_is_type_name(name, strlen(name))) {
        return apr_psprintf(cmd->pool,
                            "<MetricsType %s>: a type's name has 1 to %d characters, a-z, 0-9 and _, and begins with a "
                            "letter",
                            name, MM_EVENT_TYPE_MAX);
    }
    /* metrics_meta is a collection of its own. */
    if (mm_route_type_is_reserved(name) || strcmp(name, "meta") == 0) {
        return apr_psprintf(cmd->pool, "<MetricsType %s>: this word has another meaning in reports; choose another",
                            name);
    }
    wrong = check_content(cmd);
    if (wrong) {
        return wrong;
    }
    find_or_add(mm_config_being_read(), name);
    return ap_walk_config(cmd->directive->first_child, cmd, cmd->context);
}

static mm_type_t *type_here(const cmd_parms *cmd, const char **wrong)
{
    const ap_directive_t *parent = cmd->directive->parent;
    if (!parent || ap_cstr_casecmp(parent->directive, "<MetricsType") != 0) {
        *wrong = apr_psprintf(cmd->pool, "%s belongs inside <MetricsType>", cmd->cmd->name);
        return NULL;
    }
    return find_or_add(mm_config_being_read(), section_name(cmd->temp_pool, parent->args));
}

static apr_status_t read_rule(mm_rule_spec_t *rule, int argc, char *const argv[], apr_pool_t *pool, mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;
    rule->pattern = argv[0];
    for (int i = 1; i < argc && rv == APR_SUCCESS; i++) {
        rv = mm_rule_option(rule, argv[i], pool, err);
    }
    if (rv == APR_SUCCESS && rule->via) {
        mm_via_t via;
        rv = mm_via_parse(&via, rule->via, pool, err);
    }
    return rv;
}

const char *mm_set_rule(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    (void)dir;
    const char *wrong = NULL;
    const mm_type_t *type = type_here(cmd, &wrong);
    if (!type) {
        return wrong;
    }
    if (argc < 1) {
        return apr_psprintf(cmd->pool, "%s: a regular expression is missing", cmd->cmd->name);
    }
    mm_rule_spec_t rule = {.type = type->name, .action = cmd->info ? MM_ACTION_DOWNLOAD : MM_ACTION_VIEW};
    mm_err_t err;
    if (read_rule(&rule, argc, argv, cmd->pool, &err) != APR_SUCCESS ||
        mm_rules_add_spec(mm_config_being_read()->rules, &rule, &err) != APR_SUCCESS) {
        return apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, err.text);
    }
    return NULL;
}

const char *mm_set_catalog(cmd_parms *cmd, void *dir, const char *words)
{
    (void)dir;
    const char *wrong = NULL;
    mm_type_t *type = type_here(cmd, &wrong);
    if (!type) {
        return wrong;
    }
    mm_err_t err;
    if (mm_catalog_parse(&type->catalog, type->name, words, mm_config_being_read()->pool, &err) != APR_SUCCESS) {
        return apr_psprintf(cmd->pool, "MetricsCatalog: %s", err.text);
    }
    return NULL;
}
