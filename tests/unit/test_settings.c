/* settings.json: what is written is read again, and what nobody should believe is refused. */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/text.h"
#include "settings/settings.h"

static void add_rule(mm_settings_t *settings, const char *type, const char *action, const char *pattern)
{
    mm_settings_rule_t *rule = apr_array_push(settings->rules);

    *rule = (mm_settings_rule_t){.type = type, .action = action, .pattern = pattern};
}

static mm_settings_t *sample(unit_t *unit)
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

static void assert_sample(const mm_settings_t *settings)
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

static void reads_what_it_prints(void **state)
{
    unit_t *unit = *state;
    const char *text = mm_settings_print(sample(unit), unit->pool);
    mm_settings_t *read = NULL;
    mm_err_t err = {.text = ""};

    assert_non_null(text);
    assert_true(mm_text_is_utf8(text, strlen(text)));
    assert_non_null(strstr(text, "\n  \"prefix\""));
    assert_int_equal(mm_settings_parse(&read, text, strlen(text), unit->pool, &err), APR_SUCCESS);
    assert_sample(read);
    assert_string_equal(mm_settings_print(read, unit->pool), text);
}

static void an_empty_one_has_lists(void **state)
{
    unit_t *unit = *state;
    const char *text = mm_settings_print(mm_settings_create(unit->pool), unit->pool);
    mm_settings_t *read = NULL;

    assert_int_equal(mm_settings_parse(&read, text, strlen(text), unit->pool, NULL), APR_SUCCESS);
    assert_int_equal(read->double_click_ms, 30000);
    assert_int_equal(read->types->nelts, 0);
    assert_int_equal(read->rules->nelts, 0);
    assert_null(read->prefix);
}

static void passes_over_what_it_does_not_know(void **state)
{
    unit_t *unit = *state;
    static const char text[] = "{\"colour\": {\"a\": [1]}, \"version\": 1, \"prefix\": \"m_\"}";
    mm_settings_t *read = NULL;

    assert_int_equal(mm_settings_parse(&read, text, strlen(text), unit->pool, NULL), APR_SUCCESS);
    assert_string_equal(read->prefix, "m_");
}

static void refuses(void **state)
{
    unit_t *unit = *state;
    static const char *const texts[] = {
        "",
        "nonsense",
        "{",
        "{}",
        "{\"version\": 2}",
        "{\"version\": \"1\"}",
        "{\"version\": 1, \"prefix\": 5}",
        "{\"version\": 1, \"prefix\": \"a\\u0000b\"}",
        "{\"version\": 1, \"double_click_ms\": -1}",
        "{\"version\": 1, \"double_click_ms\": 65001}",
        "{\"version\": 1, \"types\": \"datasets\"}",
        "{\"version\": 1, \"types\": [7]}",
        "{\"version\": 1, \"types\": [\"../x\"]}",
        "{\"version\": 1, \"rules\": [\"^/x$\"]}",
        "{\"version\": 1, \"rules\": [{\"type\": \"datasets\", \"action\": \"view\"}]}",
        "{\"version\": 1, \"rules\": [{\"type\": \"datasets\", \"action\": \"steal\", \"pattern\": \"^/(.)$\"}]}",
        "{\"version\": 1, \"prefix\": \"\xff\"}",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        mm_settings_t *read = NULL;
        mm_err_t err = {.text = ""};

        if (mm_settings_parse(&read, texts[i], strlen(texts[i]), unit->pool, &err) != APR_EINVAL) {
            fail_msg("taken: %s", texts[i]);
        }
        assert_true(err.text[0] != '\0');
    }
}

static void writes_a_file_that_the_group_may_read(void **state)
{
    unit_t *unit = *state;
    const char *path = apr_pstrcat(unit->pool, unit->dir, "/" MM_SETTINGS_FILE, NULL);
    mm_settings_t *read = NULL;
    struct stat info;
    mm_err_t err = {.text = ""};

    assert_int_equal(mm_settings_write(mm_settings_create(unit->pool), unit->dir, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(mm_settings_write(sample(unit), unit->dir, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_int_equal(mm_settings_read(&read, path, unit->pool, &err), APR_SUCCESS);
    assert_sample(read);
}

/* The spool belongs to a user that root must not trust. */
static void writes_through_no_link(void **state)
{
    unit_t *unit = *state;
    const char *path = apr_pstrcat(unit->pool, unit->dir, "/" MM_SETTINGS_FILE, NULL);
    const char *target = apr_pstrcat(unit->pool, unit->dir, "/target", NULL);
    const char *temp = apr_psprintf(unit->pool, "%s.%ld.tmp", path, (long)getpid());
    struct stat info;

    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(symlink(target, temp), 0);
    assert_int_equal(mm_settings_write(sample(unit), unit->dir, unit->pool, NULL), APR_SUCCESS);
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISREG(info.st_mode));
    assert_int_not_equal(lstat(target, &info), 0);
}

static void waits_for_no_writer(void **state)
{
    unit_t *unit = *state;
    const char *path = apr_pstrcat(unit->pool, unit->dir, "/" MM_SETTINGS_FILE, NULL);
    mm_settings_t *read = NULL;
    mm_err_t err = {.text = ""};

    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(mm_settings_read(&read, path, unit->pool, &err), APR_EINVAL);
    assert_non_null(strstr(err.text, "plain file"));
}

static void makes_rules(void **state)
{
    unit_t *unit = *state;
    mm_settings_t *settings = sample(unit);
    mm_rules_t *rules = NULL;
    mm_match_t match;
    mm_err_t err = {.text = ""};

    assert_int_equal(mm_settings_rules(&rules, settings, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(mm_rules_count(rules), 2);
    assert_true(mm_rules_match(rules, "/datasets/5f", 12, &match));
    assert_int_equal(match.rule, 0);
    assert_string_equal(mm_rules_spec(rules, match.rule)->pattern, "^/datasets/([^/]+)$");
    add_rule(settings, "files", "view", "^/(");
    assert_int_equal(mm_settings_rules(&rules, settings, unit->pool, &err), APR_EINVAL);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(reads_what_it_prints),
        test(an_empty_one_has_lists),
        test(passes_over_what_it_does_not_know),
        test(refuses),
        test(writes_a_file_that_the_group_may_read),
        test(writes_through_no_link),
        test(waits_for_no_writer),
        test(makes_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
