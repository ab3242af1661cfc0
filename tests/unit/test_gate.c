/* Questions to the gate: each name once, in portions, by kind and type; and what an answer is worth. */
#include "unit_report.h"

#include "report/gate.h"

#define NAMES 1201

static apr_status_t ask(fixture_t *fixture, mm_mention_t *mentions, size_t n, mm_err_t *err)
{
    memset(err, 0, sizeof(*err));
    fixture->questions = 0;
    return mm_gate_ask(&fixture->report.gate, mentions, n, fixture->pool, err);
}

static void test_nothing_to_ask(void **state)
{
    fixture_t *fixture = fixture_make(*state);
    mm_err_t err;

    assert_int_equal(ask(fixture, NULL, 0, &err), APR_SUCCESS);
    assert_int_equal(fixture->questions, 0);
}

static void test_each_once_and_in_portions(void **state)
{
    static const char *const denied[] = {"files:n0007", "users:n0008", NULL};
    fixture_t *fixture = fixture_make(*state);
    mm_mention_t *mentions = apr_palloc(fixture->pool, 3 * NAMES * sizeof(*mentions));
    unsigned char *seen = apr_palloc(fixture->pool, 3 * NAMES);
    mm_err_t err;

    memset(seen, 0xEE, 3 * NAMES);
    for (size_t i = 0; i < 3 * NAMES; i++) {
        const char *name = apr_psprintf(fixture->pool, "n%04u", (unsigned)(i / 3));
        mentions[i] = (mm_mention_t){i % 3 == 2 ? "of" : NULL, i % 3 == 1 ? "datasets" : "files", name, &seen[i]};
    }
    fixture->denied = denied;
    assert_int_equal(ask(fixture, mentions, 3 * NAMES, &err), APR_SUCCESS);
    assert_int_equal(fixture->questions, 9);
    assert_string_equal(fixture->asked_type[0], "datasets");
    assert_string_equal(fixture->asked_type[3], "files");
    assert_string_equal(fixture->asked_type[6], "users");
    assert_int_equal(fixture->asked[6], MM_REPORT_BATCH);
    assert_int_equal(fixture->asked[8], NAMES - 2 * MM_REPORT_BATCH);
    for (size_t i = 0; i < 3 * NAMES; i++) {
        assert_int_equal(seen[i], i != 21 && i != 26);
    }
}

static void test_the_same_name_many_times(void **state)
{
    static const char *const denied[] = {"files:b", NULL};
    fixture_t *fixture = fixture_make(*state);
    unsigned char seen[4];
    mm_mention_t mentions[] = {{NULL, "files", "b", &seen[0]},
                               {NULL, "files", "a", &seen[1]},
                               {NULL, "files", "b", &seen[2]},
                               {NULL, "files", "a", &seen[3]}};
    mm_err_t err;

    fixture->denied = denied;
    fixture->verdict = 2; /* neither yes nor no */
    assert_int_equal(ask(fixture, mentions, 4, &err), APR_SUCCESS);
    assert_int_equal(fixture->asked[0], 2);
    assert_memory_equal(seen, ((unsigned char[]){0, 1, 0, 1}), 4);
}

/* Who may be named with one thing need not be with another. */
static void test_people_are_asked_about_with_what_they_are_named_with(void **state)
{
    static const char *const denied[] = {"users:ann of b", NULL};
    fixture_t *fixture = fixture_make(*state);
    unsigned char seen[4];
    mm_mention_t mentions[] = {{"b", "files", "ann", &seen[0]},
                               {"a", "files", "ann", &seen[1]},
                               {"b", "files", "bob", &seen[2]},
                               {"b", "files", "ann", &seen[3]}};
    mm_err_t err;

    fixture->denied = denied;
    assert_int_equal(ask(fixture, mentions, 4, &err), APR_SUCCESS);
    assert_int_equal(fixture->asked[0], 3);
    assert_memory_equal(seen, ((unsigned char[]){0, 1, 1, 0}), 4);
}

static void test_nobody_to_ask_and_a_gate_that_fails(void **state)
{
    fixture_t *fixture = fixture_make(*state);
    unsigned char seen[2] = {9, 9};
    mm_err_t err;

    for (int user = 0; user < 2; user++) {
        mm_mention_t mentions[] = {{user ? "of" : NULL, "files", "a", &seen[0]},
                                   {user ? "of" : NULL, "files", "b", &seen[1]}};

        fixture->report.gate = (mm_gate_t){fixture_gate, fixture_gate_users, NULL, fixture, NULL};
        fixture->fail_at = 1;
        assert_int_equal(ask(fixture, mentions, 2, &err), APR_EGENERAL);
        assert_string_equal(err.text, "the gate fell");
        assert_memory_equal(seen, ((unsigned char[]){0, 0}), 2);
        fixture->report.gate = (mm_gate_t){NULL, NULL, NULL, fixture, NULL};
        assert_int_equal(ask(fixture, mentions, 2, &err), APR_EINVAL);
        assert_non_null(strstr(err.text, user ? "people" : "resources"));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_to_ask),
        TEST(test_each_once_and_in_portions),
        TEST(test_the_same_name_many_times),
        TEST(test_people_are_asked_about_with_what_they_are_named_with),
        TEST(test_nobody_to_ask_and_a_gate_that_fails),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
