/* A batch on its way to a real database, beside whoever sends it. */
#include "drain_unit.h"

#include "count/count.h"
#include "drain/batch.h"
#include "import/courier.h"
#include "store/store.h"

#define SPOOL   "0123456789abcdef01234567"
#define NONCE   "aaaaaaaaaaaaaaaaaaaaaaaa"
#define NOWHERE "mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=50&connectTimeoutMS=50"

static int group_setup(void **state)
{
    (void)state;
    mm_store_init();
    return 0;
}

static void write_batch(const char *dir, apr_pool_t *pool)
{
    const mm_policy_t policy = {.double_click_ms = 0};
    mm_count_t *count = mm_count_create(&policy, pool);
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", NULL, NOON_US);
    mm_spool_reader_t *reader = NULL;

    mm_count_add(count, &event);
    assert_int_equal(mm_spool_reader_create(&reader, dir, NULL, pool, NULL), APR_SUCCESS);
    assert_int_equal(mm_batch_write(dir, SPOOL, 1, NONCE, count, reader, NULL, NULL), APR_SUCCESS);
}

static mm_courier_t courier_of(unit_t *unit, const char *uri, int64_t patience_us)
{
    static const char *const types[] = {"datasets"};
    mm_courier_t courier = {.dir = unit->dir,
                            .connection = {.uri = uri, .prefix = MM_STORE_PREFIX_DEFAULT, .types = types, .n_types = 1},
                            .patience_us = patience_us};

    assert_int_equal(apr_pool_create_unmanaged_ex(&courier.connection.pool, NULL, NULL), APR_SUCCESS);
    return courier;
}

static void takes_a_batch_along(void **state)
{
    unit_t *unit = *state;
    mm_courier_t courier = courier_of(unit, unit_mongo_uri(unit->pool), 20000000);

    assert_int_equal(mm_courier_join(&courier, NULL), APR_SUCCESS); /* none is under way */
    write_batch(unit->dir, unit->pool);
    assert_int_equal(mm_courier_start(&courier, NULL), APR_SUCCESS);
    assert_int_equal(mm_courier_join(&courier, NULL), APR_SUCCESS);
    assert_false(has_file(unit->dir, MM_BATCH_FILE));
    assert_true(has_file(unit->dir, MM_CHECKPOINT_FILE));
    apr_pool_destroy(courier.connection.pool);
}

static void a_failure_stays(void **state)
{
    unit_t *unit = *state;
    mm_courier_t courier = courier_of(unit, NOWHERE, 0);
    mm_err_t err = {.text = ""};

    write_batch(unit->dir, unit->pool);
    assert_int_equal(mm_courier_start(&courier, NULL), APR_SUCCESS);
    assert_int_not_equal(mm_courier_join(&courier, &err), APR_SUCCESS);
    assert_true(err.text[0] != '\0');
    assert_int_not_equal(mm_courier_join(&courier, NULL), APR_SUCCESS);
    assert_true(has_file(unit->dir, MM_BATCH_FILE));
    apr_pool_destroy(courier.connection.pool);
}

static void stops_when_it_is_told(void **state)
{
    unit_t *unit = *state;
    static volatile sig_atomic_t stop = 1;
    mm_courier_t courier = courier_of(unit, NOWHERE, INT64_MAX);

    courier.wait.stop = &stop;
    write_batch(unit->dir, unit->pool);
    assert_int_equal(mm_courier_start(&courier, NULL), APR_SUCCESS);
    assert_int_not_equal(mm_courier_join(&courier, NULL), APR_SUCCESS);
    assert_true(has_file(unit->dir, MM_BATCH_FILE));
    apr_pool_destroy(courier.connection.pool);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(takes_a_batch_along),
        test(a_failure_stays),
        test(stops_when_it_is_told),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
