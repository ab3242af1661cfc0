/* The three lists together: order, subtraction, what is left out of them, and what makes loading fail. */
#include "unit.h"

#include "agents/agents.h"

typedef struct heard {
    int n;
    char text[2048], info[256];
} heard_t;

static void hear(void *baton, mm_log_level_t level, const char *tag, const char *text)
{
    heard_t *heard = baton;

    if (level == MM_LOG_INFO) {
        assert_string_equal(tag, "MM0803");
        snprintf(heard->info, sizeof(heard->info), "%s", text);
        return;
    }
    assert_int_equal(level, MM_LOG_WARNING);
    assert_string_equal(tag, "MM0802");
    heard->n++;
    strncat(heard->text, text, sizeof(heard->text) - strlen(heard->text) - 1);
}

static apr_array_header_t *list_of(unit_t *unit, const char *text)
{
    apr_array_header_t *list = apr_array_make(unit->pool, 1, sizeof(const char *));

    if (text) {
        APR_ARRAY_PUSH(list, const char *) = text;
    }
    return list;
}

/* A list of one file with this text. */
static apr_array_header_t *file_of(unit_t *unit, const char *name, const char *text)
{
    const char *path = apr_pstrcat(unit->pool, unit->dir, "/", name, NULL);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    return list_of(unit, path);
}

static mm_agents_t *load(unit_t *unit, const char *robots, const char *machines, const char *allow, const mm_log_t *log)
{
    const mm_agents_sources_t sources = {robots ? file_of(unit, "robots", robots) : NULL,
                                         machines ? file_of(unit, "machines", machines) : NULL, list_of(unit, allow)};
    mm_agents_t *agents;
    mm_err_t err;

    if (mm_agents_load(&agents, &sources, log, unit->pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return agents;
}

static mm_agent_list_t look_up(mm_agents_t *agents, const char *agent)
{
    const mm_pattern_t *pattern;
    mm_agent_list_t list = mm_agents_explain(agents, agent, strlen(agent), &pattern);

    /* The same the first time, from the cache, and when asked why. */
    assert_int_equal(mm_agents_look_up(agents, agent, strlen(agent)), list);
    assert_int_equal(mm_agents_look_up(agents, agent, strlen(agent)), list);
    assert_int_equal(pattern != NULL, list != MM_AGENT_UNLISTED);
    return list;
}

static void test_order_of_the_lists(void **state)
{
    mm_agents_t *agents = load(*state, "bot\nmotor\n", "curl/\n", "motorola", NULL);

    assert_int_equal(look_up(agents, "Googlebot/2.1"), MM_AGENT_ROBOT);
    assert_int_equal(look_up(agents, "curl/8.1"), MM_AGENT_MACHINE);
    assert_int_equal(look_up(agents, "serpstatbot/1.0 (curl/7.58.0)"), MM_AGENT_ROBOT);
    assert_int_equal(look_up(agents, "Motorola curl/1"), MM_AGENT_ALLOWED);
    assert_int_equal(look_up(agents, "Firefox"), MM_AGENT_UNLISTED);
    assert_int_equal(look_up(agents, ""), MM_AGENT_UNLISTED);
}

static void test_machines_are_no_robots(void **state)
{
    mm_agents_t *agents =
        load(*state, "bot\ncurl\\/\nWget\npear\\.php\\.net\n", "curl/\nwget\npear.php.net\n", NULL, NULL);
    mm_agents_sizes_t sizes;

    mm_agents_sizes(agents, &sizes);
    assert_int_equal(sizes.robots, 1);
    assert_int_equal(sizes.machines, 3);
    assert_int_equal(sizes.subtracted, 3);
    assert_int_equal(sizes.allow, 0);
    assert_int_equal(look_up(agents, "Wget/1.21"), MM_AGENT_MACHINE);
    assert_int_equal(look_up(agents, "curl/8"), MM_AGENT_MACHINE);
}

static void test_explains_with_the_place(void **state)
{
    mm_agents_t *agents = load(*state, "# robots\nbot\n", NULL, "nobody", NULL);
    const mm_pattern_t *pattern;

    assert_int_equal(mm_agents_explain(agents, "xbot", 4, &pattern), MM_AGENT_ROBOT);
    assert_string_equal(pattern->text, "bot");
    assert_non_null(strstr(pattern->where, "/robots line 2"));
    assert_int_equal(mm_agents_explain(agents, "nobody", 6, &pattern), MM_AGENT_ALLOWED);
    assert_string_equal(pattern->where, "MetricsAllowAgents");
}

static void test_bad_patterns_of_a_file_are_left_out(void **state)
{
    heard_t heard = {0};
    mm_log_t log = {hear, &heard};
    mm_agents_t *agents =
        load(*state, "bot\n(unclosed\nMozilla\n.*\nspider|\n(a+)+$\nspider\n", "curl\n\\\n", NULL, &log);
    mm_agents_sizes_t sizes;

    mm_agents_sizes(agents, &sizes);
    assert_int_equal(sizes.robots, 2);
    assert_int_equal(sizes.machines, 1);
    assert_int_equal(sizes.left_out, 6);
    assert_int_equal(heard.n, 6);
    for (int line = 2; line <= 6; line++) {
        char place[32];

        snprintf(place, sizeof(place), "/robots line %d:", line);
        assert_non_null(strstr(heard.text, place));
    }
    assert_non_null(strstr(heard.text, "/machines line 2"));
    assert_non_null(strstr(heard.text, "every browser"));
    assert_non_null(strstr(heard.info, "2 patterns of robots, 1 of machines"));
    assert_int_equal(look_up(agents, "Mozilla/5.0"), MM_AGENT_UNLISTED);
    assert_int_equal(look_up(agents, "a spider"), MM_AGENT_ROBOT);
}

static void test_what_makes_loading_fail(void **state)
{
    unit_t *unit = *state;
    mm_agents_t *agents = NULL;
    mm_err_t err = {0};
    mm_agents_sources_t missing = {.robots = list_of(unit, "/no/such/list")};
    mm_agents_sources_t empty = {.machines = file_of(unit, "empty", "# nothing\n")};
    mm_agents_sources_t wrong = {.allow = list_of(unit, "moto(rola")};

    assert_int_not_equal(mm_agents_load(&agents, &missing, NULL, unit->pool, &err), APR_SUCCESS);
    assert_non_null(strstr(err.text, "/no/such/list"));
    assert_int_equal(mm_agents_load(&agents, &empty, NULL, unit->pool, &err), APR_EINVAL);
    assert_non_null(strstr(err.text, "/empty"));
    assert_int_equal(mm_agents_load(&agents, &wrong, NULL, unit->pool, &err), APR_EINVAL);
    assert_non_null(strstr(err.text, "MetricsAllowAgents"));
    assert_null(agents);
    assert_int_equal(mm_agents_check_allow("moto(rola", "Here", unit->pool, &err), APR_EINVAL);
    assert_non_null(strstr(err.text, "Here"));
    assert_int_equal(mm_agents_check_allow("motorola", "Here", unit->pool, &err), APR_SUCCESS);
}

static void test_no_lists_at_all(void **state)
{
    unit_t *unit = *state;
    const mm_agents_sources_t none = {NULL, NULL, NULL};
    mm_agents_t *agents;

    assert_int_equal(mm_agents_load(&agents, &none, NULL, unit->pool, NULL), APR_SUCCESS);
    assert_int_equal(look_up(agents, "Googlebot"), MM_AGENT_UNLISTED);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(mm_agent_list_name(MM_AGENT_UNLISTED), "unlisted");
    assert_string_equal(mm_agent_list_name(MM_AGENT_ALLOWED), "allowed");
    assert_string_equal(mm_agent_list_name(MM_AGENT_ROBOT), "robots");
    assert_string_equal(mm_agent_list_name(MM_AGENT_MACHINE), "machines");
    assert_string_equal(mm_agent_list_name((mm_agent_list_t)9), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_the_lists),
        cmocka_unit_test(test_machines_are_no_robots),
        cmocka_unit_test(test_explains_with_the_place),
        cmocka_unit_test(test_bad_patterns_of_a_file_are_left_out),
        cmocka_unit_test(test_what_makes_loading_fail),
        cmocka_unit_test(test_no_lists_at_all),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, unit_setup, unit_teardown);
}
