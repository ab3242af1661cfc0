/* Settings as a value: the tables that say what there is, an empty one, and what is made of one. The file is of
 * settings_write.c and settings_read.c. No state; any thread.
 */
#include "settings/settings_fields.h"

#include <string.h>

const mm_settings_field_t mm_settings_site_fields[] = {
    {"version", MM_SETTINGS_NUMBER, offsetof(mm_settings_t, version)},
    {"recording_since_ms", MM_SETTINGS_NUMBER, offsetof(mm_settings_t, recording_since_ms)},
    {"double_click_ms", MM_SETTINGS_COUNT, offsetof(mm_settings_t, double_click_ms)},
    {"robots", MM_SETTINGS_TEXTS, offsetof(mm_settings_t, robots)},
    {"machines", MM_SETTINGS_TEXTS, offsetof(mm_settings_t, machines)},
    {"allow_agents", MM_SETTINGS_TEXTS, offsetof(mm_settings_t, allow_agents)},
    {"mongo_uri_file", MM_SETTINGS_TEXT, offsetof(mm_settings_t, mongo_uri_file)},
    {"catalog_uri_file", MM_SETTINGS_TEXT, offsetof(mm_settings_t, catalog_uri_file)},
    {"anonymous_users", MM_SETTINGS_TEXTS, offsetof(mm_settings_t, nobodies)},
    {"prefix", MM_SETTINGS_TEXT, offsetof(mm_settings_t, prefix)},
    {"types", MM_SETTINGS_TEXTS, offsetof(mm_settings_t, types)},
    {"rules", MM_SETTINGS_RULES, offsetof(mm_settings_t, rules)},
    {NULL, 0, 0},
};

const mm_settings_field_t mm_settings_rule_fields[] = {
    {"type", MM_SETTINGS_TEXT, offsetof(mm_settings_rule_t, type)},
    {"action", MM_SETTINGS_TEXT, offsetof(mm_settings_rule_t, action)},
    {"pattern", MM_SETTINGS_TEXT, offsetof(mm_settings_rule_t, pattern)},
    {"query", MM_SETTINGS_TEXT, offsetof(mm_settings_rule_t, query)},
    {"via", MM_SETTINGS_TEXT, offsetof(mm_settings_rule_t, via)},
    {"case", MM_SETTINGS_TEXT, offsetof(mm_settings_rule_t, letter_case)},
    {NULL, 0, 0},
};

void mm_settings_make_lists(void *base, const mm_settings_field_t *fields, apr_pool_t *pool)
{
    for (const mm_settings_field_t *field = fields; field->key; field++) {
        if (field->kind == MM_SETTINGS_TEXTS) {
            MM_SETTINGS_MEMBER(base, field, apr_array_header_t *) = apr_array_make(pool, 4, sizeof(const char *));
        }
        else if (field->kind == MM_SETTINGS_RULES) {
            MM_SETTINGS_MEMBER(base, field, apr_array_header_t *) = apr_array_make(pool, 8, sizeof(mm_settings_rule_t));
        }
    }
}

mm_settings_t *mm_settings_create(apr_pool_t *pool)
{
    mm_settings_t *settings = apr_pcalloc(pool, sizeof(*settings));

    mm_settings_make_lists(settings, mm_settings_site_fields, pool);
    settings->version = MM_SETTINGS_VERSION;
    settings->double_click_ms = MM_POLICY_DOUBLE_CLICK_MS;
    return settings;
}

apr_status_t mm_settings_policy(mm_policy_t *policy, const mm_settings_t *settings, const mm_log_t *log,
                                apr_pool_t *pool, mm_err_t *err)
{
    const mm_agents_sources_t sources = {settings->robots, settings->machines, settings->allow_agents};

    *policy = (mm_policy_t){.double_click_ms = settings->double_click_ms,
                            .nobodies = (const char *const *)settings->nobodies->elts,
                            .n_nobodies = (size_t)settings->nobodies->nelts};
    return mm_agents_load(&policy->agents, &sources, log, pool, err);
}

apr_status_t mm_settings_rules(mm_rules_t **rules, const mm_settings_t *settings, apr_pool_t *pool, mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;

    *rules = mm_rules_create(pool);
    if (!*rules) {
        return mm_err_set(err, APR_ENOMEM, "no memory for the rules");
    }
    for (int i = 0; rv == APR_SUCCESS && i < settings->rules->nelts; i++) {
        const mm_settings_rule_t *rule = &APR_ARRAY_IDX(settings->rules, i, mm_settings_rule_t);
        mm_rule_spec_t spec = {.type = rule->type,
                               .pattern = rule->pattern,
                               .query = rule->query,
                               .via = rule->via,
                               .lower = rule->letter_case && strcmp(rule->letter_case, "lower") == 0};

        mm_action_parse(&spec.action, rule->action, strlen(rule->action));
        rv = mm_rules_add_spec(*rules, &spec, err);
    }
    return rv;
}
