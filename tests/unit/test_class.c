/* Who made a use: the mark first, then the lists, then whether there is an agent at all. */
#include "drain_unit.h"

#include "count/class.h"

static mm_policy_t policy_of(unit_t *unit)
{
    const char *robots = apr_pstrcat(unit->pool, unit->dir, "/robots", NULL);
    const char *machines = apr_pstrcat(unit->pool, unit->dir, "/machines", NULL);
    apr_array_header_t *lists[3];
    mm_agents_t *agents;
    mm_err_t err;
    FILE *file = fopen(robots, "w");

    assert_non_null(file);
    fputs("bot\nmotor\ncurl\\/\n^.?$\n", file);
    fclose(file);
    file = fopen(machines, "w");
    assert_non_null(file);
    fputs("curl\\/\npython\n", file);
    fclose(file);
    for (int i = 0; i < 3; i++) {
        lists[i] = apr_array_make(unit->pool, 1, sizeof(const char *));
    }
    APR_ARRAY_PUSH(lists[0], const char *) = robots;
    APR_ARRAY_PUSH(lists[1], const char *) = machines;
    APR_ARRAY_PUSH(lists[2], const char *) = "motorola|allowed";
    const mm_agents_sources_t sources = {lists[0], lists[1], lists[2]};
    if (mm_agents_load(&agents, &sources, NULL, unit->pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return (mm_policy_t){.agents = agents};
}

static void lists_and_marks(void **state)
{
    static const struct {
        mm_source_t source;
        const char *mark, *agent;
        mm_class_t class;
    } vectors[] = {
        /* What the administrator says stands above everything. */
        {MM_SOURCE_REQUEST, "robot", "Firefox", MM_CLASS_ROBOT},
        {MM_SOURCE_REQUEST, "robot", NULL, MM_CLASS_ROBOT},
        {MM_SOURCE_REQUEST, "robot", "allowed", MM_CLASS_ROBOT},
        {MM_SOURCE_REQUEST, "regular", "Googlebot", MM_CLASS_REGULAR},
        {MM_SOURCE_REQUEST, "regular", NULL, MM_CLASS_REGULAR},
        {MM_SOURCE_REQUEST, "machine", "Googlebot", MM_CLASS_MACHINE},
        {MM_SOURCE_REQUEST, "extractor", "Firefox", MM_CLASS_MACHINE},
        {MM_SOURCE_POST, "Robot", NULL, MM_CLASS_MACHINE},
        {MM_SOURCE_POST, "robots", NULL, MM_CLASS_MACHINE},
        {MM_SOURCE_POST, "regularly", NULL, MM_CLASS_MACHINE},
        /* The lists. */
        {MM_SOURCE_REQUEST, NULL, "Firefox", MM_CLASS_REGULAR},
        {MM_SOURCE_REQUEST, NULL, "GoogleBot/2.1", MM_CLASS_ROBOT},
        {MM_SOURCE_IMPORT, NULL, "GoogleBot/2.1", MM_CLASS_ROBOT},
        {MM_SOURCE_POST, NULL, "GoogleBot/2.1", MM_CLASS_ROBOT},
        {MM_SOURCE_REQUEST, NULL, "curl/8", MM_CLASS_MACHINE}, /* on both lists: a machine's pattern */
        {MM_SOURCE_REQUEST, NULL, "xbot (curl/8)", MM_CLASS_ROBOT},
        {MM_SOURCE_REQUEST, NULL, "Python-urllib/3.9", MM_CLASS_MACHINE},
        {MM_SOURCE_REQUEST, NULL, "motorized", MM_CLASS_ROBOT},
        {MM_SOURCE_REQUEST, NULL, "Motorola moto g", MM_CLASS_REGULAR},
        {MM_SOURCE_REQUEST, NULL, "allowed bot python", MM_CLASS_REGULAR},
        {MM_SOURCE_REQUEST, NULL, "-", MM_CLASS_ROBOT},
        /* No agent: of a request a script's, whatever ^.?$ says; of a POST nobody knows. */
        {MM_SOURCE_REQUEST, NULL, NULL, MM_CLASS_MACHINE},
        {MM_SOURCE_IMPORT, NULL, NULL, MM_CLASS_MACHINE},
        {MM_SOURCE_POST, NULL, NULL, MM_CLASS_REGULAR},
    };
    mm_policy_t policy = policy_of(*state);

    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
            mm_event_t event = event_of(MM_ACTION_VIEW, "a", NULL, NOON_US);

            event.source = vectors[i].source;
            event.class_mark = bytes_of(vectors[i].mark);
            event.agent = bytes_of(vectors[i].agent);
            if (mm_class_of(&event, &policy) != vectors[i].class) {
                fail_msg("%s, marked %s", vectors[i].agent ? vectors[i].agent : "none",
                         vectors[i].mark ? vectors[i].mark : "with nothing");
            }
        }
    }
}

static void without_lists(void **state)
{
    const mm_policy_t policy = {.agents = NULL};
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", NULL, NOON_US);

    (void)state;
    event.agent = bytes_of("GoogleBot");
    assert_int_equal(mm_class_of(&event, &policy), MM_CLASS_REGULAR);
    event.agent.len = 0;
    assert_int_equal(mm_class_of(&event, &policy), MM_CLASS_MACHINE);
    event.class_mark = bytes_of("robot");
    assert_int_equal(mm_class_of(&event, &policy), MM_CLASS_ROBOT);
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(mm_class_name(MM_CLASS_REGULAR), "regular");
    assert_string_equal(mm_class_name(MM_CLASS_MACHINE), "machine");
    assert_string_equal(mm_class_name(MM_CLASS_ROBOT), "robot");
    assert_string_equal(mm_class_name((mm_class_t)3), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_and_marks, unit_setup, unit_teardown),
        cmocka_unit_test(without_lists),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
