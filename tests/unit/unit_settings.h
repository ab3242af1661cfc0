/* What the tests of src/settings share: settings with something in each place that is easily spoilt. */
#ifndef UNIT_SETTINGS_H
#define UNIT_SETTINGS_H

#include "unit.h"

#include "settings/settings.h"

static inline void add_rule(mm_settings_t *settings, const char *type, const char *action, const char *pattern)
{
    mm_settings_rule_t *rule = apr_array_push(settings->rules);

    *rule = (mm_settings_rule_t){.type = type, .action = action, .pattern = pattern};
}

static inline mm_settings_t *sample(unit_t *unit)
{
    mm_settings_t *settings = mm_settings_create(unit->pool);

    settings->recording_since_ms = 1769860800000;
    settings->mongo_uri_file = "/etc/metrics/uri \"quoted\"";
    settings->double_click_ms = 0;
    settings->prefix = "usage_";
    APR_ARRAY_PUSH(settings->types, const char *) = "datasets";
    APR_ARRAY_PUSH(settings->types, const char *) = "files";
    add_rule(settings, "datasets", "view", "^/datasets/([^/]+)$");
    add_rule(settings, "files", "download", "^/\xff/([\"\\\\])\t$");
    return settings;
}

static inline void assert_sample(const mm_settings_t *settings)
{
    const mm_settings_rule_t *rule;

    assert_true(settings->recording_since_ms == 1769860800000);
    assert_string_equal(settings->mongo_uri_file, "/etc/metrics/uri \"quoted\"");
    assert_int_equal(settings->double_click_ms, 0);
    assert_string_equal(settings->prefix, "usage_");
    assert_int_equal(settings->types->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(settings->types, 1, const char *), "files");
    assert_int_equal(settings->rules->nelts, 2);
    rule = &APR_ARRAY_IDX(settings->rules, 1, mm_settings_rule_t);
    assert_string_equal(rule->type, "files");
    assert_string_equal(rule->action, "download");
    assert_string_equal(rule->pattern, "^/\xff/([\"\\\\])\t$");
}

#endif
