/* Two look-ups at a time, over two connections, and over one where there is no other. */
#include "unit_report.h"

#include "report/second.h"

#define N 300

typedef struct opened {
    const char *uri; /* NULL: cannot be opened */
    int times;
    mm_store_t *store;
} opened_t;

static apr_status_t open_second(void *baton, mm_store_t **store, apr_pool_t *pool, mm_err_t *err)
{
    opened_t *opened = baton;

    opened->times++;
    if (!opened->uri) {
        return mm_err_set(err, APR_EGENERAL, "no more connections");
    }
    opened->store = unit_store_at(opened->uri, pool);
    *store = opened->store;
    return APR_SUCCESS;
}

/* Datasets d0000 … of this name, and questions for all of them. */
static fixture_t *make(unit_t *unit, opened_t *opened, mm_question_t questions[2])
{
    const char *uri = unit_mongo_uri(unit->pool);
    fixture_t *fixture = fixture_make_at(unit, uri);

    fixture_named(fixture, 2 * N, "N");
    *opened = (opened_t){.uri = uri};
    fixture->report.open_second = open_second;
    fixture->report.second_baton = opened;
    for (size_t i = 0; i < 2; i++) {
        const char **ids = apr_palloc(unit->pool, N * sizeof(*ids));

        for (size_t n = 0; n < N; n++) {
            ids[n] = apr_psprintf(unit->pool, "d%04u", (unsigned)(i * N + n));
        }
        questions[i] = (mm_question_t){.store = fixture->report.catalog_store,
                                       .catalogs = fixture->report.catalogs,
                                       .forms = fixture->report.forms,
                                       .type = "datasets",
                                       .ids = ids,
                                       .n = N,
                                       .entries = apr_pcalloc(unit->pool, N * sizeof(mm_entry_t))};
    }
    return fixture;
}

static void assert_answered(mm_question_t questions[2])
{
    for (size_t i = 0; i < 2; i++) {
        for (size_t n = 0; n < N; n++) {
            assert_string_equal(questions[i].entries[n].name, "N");
            assert_int_equal(questions[i].entries[n].troubles, 0);
        }
        memset(questions[i].entries, 0, N * sizeof(mm_entry_t));
    }
}

static void answer(mm_second_t *second, mm_question_t questions[2], apr_pool_t *pool)
{
    mm_err_t err = {0};

    if (mm_second_answer_both(second, questions, pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    assert_answered(questions);
    mm_second_clear(second);
}

static void count_finds(const mongoc_apm_command_started_t *event)
{
    (*(int *)mongoc_apm_command_started_get_context(event)) +=
        strcmp(mongoc_apm_command_started_get_command_name(event), "find") == 0;
}

static void watch(mm_store_t *store, int *finds)
{
    mongoc_apm_callbacks_t *callbacks = mongoc_apm_callbacks_new();

    mongoc_apm_set_command_started_cb(callbacks, count_finds);
    mongoc_client_set_apm_callbacks(store->client, callbacks, finds);
    mongoc_apm_callbacks_destroy(callbacks);
}

static void test_each_connection_has_one_of_two(void **state)
{
    unit_t *unit = *state;
    mm_question_t questions[2];
    opened_t opened;
    fixture_t *fixture = make(unit, &opened, questions);
    mm_second_t *second = mm_second_make(&fixture->report, unit->pool);
    int own = 0, other = 0;

    assert_int_equal(opened.times, 0);
    mm_second_clear(second);
    answer(second, questions, unit->pool);
    watch(fixture->report.catalog_store, &own);
    watch(opened.store, &other);
    for (int times = 0; times < 20; times++) {
        answer(second, questions, unit->pool);
    }
    assert_int_equal(opened.times, 1);
    assert_int_equal(own, 20);
    assert_int_equal(other, 20);
}

static void test_no_second_connection(void **state)
{
    unit_t *unit = *state;
    mm_question_t questions[2];
    opened_t opened;
    fixture_t *fixture = make(unit, &opened, questions);
    mm_second_t *second = mm_second_make(&fixture->report, unit->pool);

    opened.uri = NULL;
    answer(second, questions, unit->pool);
    answer(second, questions, unit->pool);
    assert_int_equal(opened.times, 1); /* and it is not tried again */
    fixture->report.open_second = NULL;
    answer(mm_second_make(&fixture->report, unit->pool), questions, unit->pool);
}

static void test_a_connection_too_many(void **state)
{
    unit_t *unit = *state;
    mm_question_t questions[2];
    opened_t opened;
    fixture_t *fixture = make(unit, &opened, questions);
    mm_second_t *second = mm_second_make(&fixture->report, unit->pool);
    int port, fd = unit_deaf_port(0, &port), own = 0;

    opened.uri = apr_psprintf(unit->pool, "mongodb://127.0.0.1:%d/x?serverSelectionTimeoutMS=500", port);
    watch(fixture->report.catalog_store, &own);
    answer(second, questions, unit->pool);
    /* and it is left alone from then on, also where it would work again */
    mm_store_t *works = unit_store_at(fixture->uri, unit->pool);
    mongoc_client_t *failed = opened.store->client;
    opened.store->client = works->client;
    works->client = failed;
    answer(second, questions, unit->pool);
    assert_int_equal(own, 4);
    close(fd);
}

static void test_away(void **state)
{
    unit_t *unit = *state;
    mm_question_t questions[2];
    opened_t opened;
    fixture_t *fixture = make(unit, &opened, questions);
    mm_second_t *second = mm_second_make(&fixture->report, unit->pool);
    mm_err_t err = {0};

    /* the report's own, which says what is wrong */
    questions[0].store = questions[1].store = fixture_store_away(unit->pool);
    assert_int_equal(mm_second_answer_both(second, questions, unit->pool, &err), MM_STORE_AWAY);
    assert_non_null(strstr(err.text, "app_datasets"));
    mm_second_clear(second);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_each_connection_has_one_of_two),
        TEST(test_no_second_connection),
        TEST(test_a_connection_too_many),
        TEST(test_away),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
