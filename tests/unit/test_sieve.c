/* Which lines speak of a use. */
#include "unit.h"

#include "import/sieve.h"

/* 2026-01-31T12:00:00Z */
#define NOON (INT64_C(1769860800) * 1000000)
#define LINE "192.0.2.1 - ada [31/Jan/2026:12:00:00 +0000] \"GET %s HTTP/1.1\" 404 5 \"-\" \"%s\""

static mm_sieve_t sieve_of(unit_t *unit)
{
    mm_sieve_t sieve = {.rules = mm_rules_create(unit->pool)};
    mm_logformat_t *format = NULL;
    mm_rules_t *rules = mm_rules_create(unit->pool);

    assert_int_equal(mm_rules_add(rules, "datasets", MM_ACTION_VIEW, "^/datasets/([^/]+)$", NULL), APR_SUCCESS);
    assert_int_equal(mm_rules_add(rules, "files", MM_ACTION_DOWNLOAD, "^/files/(.+)$", NULL), APR_SUCCESS);
    sieve.rules = rules;
    assert_int_equal(mm_logformat_compile(&format, "combined", unit->pool, NULL), APR_SUCCESS);
    sieve.parser = mm_logparser_create(format, MM_SLASHES_DECODE, unit->pool);
    return sieve;
}

static mm_sifted_t sifted(unit_t *unit, const mm_sieve_t *sieve, const char *path, const char *agent,
                          mm_sifting_t *sifting, mm_event_t *event)
{
    const char *line = apr_psprintf(unit->pool, LINE, path, agent);

    return mm_sieve_line(sieve, line, strlen(line), sifting, event);
}

static mm_sifted_t judged(unit_t *unit, const mm_sieve_t *sieve, const char *path)
{
    mm_sifting_t sifting;
    mm_event_t event;

    return sifted(unit, sieve, path, "Firefox", &sifting, &event);
}

static void assert_bytes(mm_bytes_t bytes, const char *text)
{
    assert_int_equal(bytes.len, strlen(text));
    assert_memory_equal(bytes.data, text, bytes.len);
}

static void makes_events(void **state)
{
    unit_t *unit = *state;
    mm_sieve_t sieve = sieve_of(unit);
    mm_sifting_t sifting;
    mm_event_t event;

    assert_int_equal(sifted(unit, &sieve, "/files/a%20b?x", "Firefox", &sifting, &event), MM_SIFTED_EVENT);
    assert_int_equal(sifting.match.rule, 1);
    assert_int_equal(event.action, MM_ACTION_DOWNLOAD);
    assert_int_equal(event.source, MM_SOURCE_IMPORT);
    assert_int_equal(event.method, MM_METHOD_GET);
    assert_int_equal(event.status, 404); /* whether that counts is not asked here */
    assert_true(event.time_us == NOON);
    assert_bytes(event.type, "files");
    assert_bytes(event.id, "a b");
    assert_bytes(event.user, "ada");
    assert_bytes(event.address, "192.0.2.1");
    assert_bytes(event.agent, "Firefox");
    assert_int_equal(event.session.len + event.class_mark.len, 0);
}

static void says_why_not(void **state)
{
    unit_t *unit = *state;
    mm_sieve_t sieve = sieve_of(unit);
    mm_sifting_t sifting;
    mm_event_t event;
    char *path = apr_pcalloc(unit->pool, 2000);

    assert_int_equal(judged(unit, &sieve, "/other"), MM_SIFTED_NO_RULE);
    assert_int_equal(judged(unit, &sieve, "/datasets/5f?tracking=false"), MM_SIFTED_UNTRACKED);
    assert_int_equal(mm_sieve_line(&sieve, "nonsense", 8, &sifting, &event), MM_SIFTED_BAD);
    assert_non_null(sifting.wrong);
    memset(path, 'x', 1999);
    memcpy(path, "/files/", 7);
    assert_int_equal(judged(unit, &sieve, path), MM_SIFTED_UNFIT);
}

static void goes_by_the_time(void **state)
{
    unit_t *unit = *state;
    mm_sieve_t sieve = sieve_of(unit);

    sieve.since_us = NOON;
    sieve.until_us = NOON + 1;
    assert_int_equal(judged(unit, &sieve, "/datasets/5f"), MM_SIFTED_EVENT);
    sieve.until_us = NOON;
    assert_int_equal(judged(unit, &sieve, "/datasets/5f"), MM_SIFTED_OUTSIDE);
    sieve.until_us = 0;
    sieve.since_us = NOON + 1;
    assert_int_equal(judged(unit, &sieve, "/datasets/5f"), MM_SIFTED_OUTSIDE);
    sieve.since_us = 0;
    sieve.now_us = NOON - INT64_C(3599) * 1000000;
    assert_int_equal(judged(unit, &sieve, "/datasets/5f"), MM_SIFTED_EVENT);
    sieve.now_us = NOON - INT64_C(3600) * 1000000;
    assert_int_equal(judged(unit, &sieve, "/datasets/5f"), MM_SIFTED_BAD);
    sieve.now_us = 0;
    sieve.live_us = NOON + 999999; /* the same second */
    assert_int_equal(judged(unit, &sieve, "/datasets/5f"), MM_SIFTED_LIVE);
    sieve.live_us = NOON + 1000000;
    assert_int_equal(judged(unit, &sieve, "/datasets/5f"), MM_SIFTED_EVENT);
}

static void what_is_too_long_is_treated_as_capture_does(void **state)
{
    unit_t *unit = *state;
    mm_sieve_t sieve = sieve_of(unit);
    char *agent = apr_pcalloc(unit->pool, 1000);
    mm_sifting_t sifting;
    mm_event_t event;

    memset(agent, 'a', 999);
    assert_int_equal(sifted(unit, &sieve, "/datasets/5f", agent, &sifting, &event), MM_SIFTED_EVENT);
    assert_int_equal(event.agent.len, MM_EVENT_AGENT_MAX);
    assert_int_equal(sifted(unit, &sieve, "/datasets/5f", "a\\x00b", &sifting, &event), MM_SIFTED_EVENT);
    assert_int_equal(event.agent.len, 0);
}

static void a_line_may_speak_of_several_ids(void **state)
{
    static const mm_rule_spec_t list = {.type = "files",
                                        .action = MM_ACTION_DOWNLOAD,
                                        .pattern = "^/some$",
                                        .query = "f",
                                        .via = "u:_id:_id",
                                        .lower = true};
    unit_t *unit = *state;
    mm_sieve_t sieve = sieve_of(unit);
    mm_rules_t *rules = mm_rules_create(unit->pool);
    mm_sifting_t sifting;
    mm_event_t event;

    assert_int_equal(mm_rules_add_spec(rules, &list, NULL), APR_SUCCESS);
    sieve.rules = rules;
    sieve.pool = unit->pool;
    assert_int_equal(sifted(unit, &sieve, "/some?f=A%2Cb,a", "Firefox", &sifting, &event), MM_SIFTED_EVENT);
    assert_int_equal(sifting.n_ids, 2);
    assert_bytes(sifting.ids[0], "a");
    assert_bytes(sifting.ids[1], "b");
    assert_bytes(event.id, "a");
    assert_bytes(event.via, "u:_id:_id");
    assert_int_equal(judged(unit, &sieve, "/some?f="), MM_SIFTED_UNFIT);
}

static void every_reason_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < MM_SIFTED_KINDS; i++) {
        assert_non_null(mm_sifted_name((mm_sifted_t)i));
    }
    assert_string_equal(mm_sifted_name(MM_SIFTED_KINDS), "unknown");
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(makes_events),
        test(says_why_not),
        test(goes_by_the_time),
        test(what_is_too_long_is_treated_as_capture_does),
        test(a_line_may_speak_of_several_ids),
        test(every_reason_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
