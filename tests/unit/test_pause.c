/* A pause of all spools, in a real database. */
#include "unit_store.h"
#include "store/pause.h"

#define NONCE "aaaaaaaaaaaaaaaaaaaaaaaa"

static mm_err_t err;

static void a_pause_keeps_batches_from_beginning(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    bool quiet = false;

    assert_int_equal(mm_store_claim(store, SPOOL, 1, NONCE, &err), APR_SUCCESS);
    assert_int_equal(mm_pause_begin(store, &err), APR_SUCCESS);
    assert_int_equal(mm_store_claim(store, SPOOL, 1, NONCE, &err), MM_STORE_PAUSED);
    assert_int_equal(mm_store_claim(store, SPOOL, 2, NONCE, &err), MM_STORE_PAUSED);
    assert_non_null(strstr(err.text, "forget-user"));
    assert_int_equal(mm_pause_is_quiet(store, &quiet, &err), APR_SUCCESS);
    assert_false(quiet);
    assert_non_null(strstr(err.text, SPOOL));
    assert_int_equal(mm_store_settle(store, SPOOL, 1, NONCE, &err), APR_SUCCESS);
    assert_int_equal(mm_pause_is_quiet(store, &quiet, &err), APR_SUCCESS);
    assert_true(quiet);
    assert_int_equal(mm_pause_end(store, &err), APR_SUCCESS);
    assert_int_equal(mm_store_claim(store, SPOOL, 2, NONCE, &err), APR_SUCCESS);
    /* A foreign batch is foreign also in a pause. */
    assert_int_equal(mm_pause_begin(store, &err), APR_SUCCESS);
    assert_int_equal(mm_store_claim(store, SPOOL, 1, NONCE, &err), MM_STORE_FOREIGN);
}

static void ends_by_itself(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    assert_int_equal(mm_store_claim(store, SPOOL, 1, NONCE, &err), APR_SUCCESS);
    assert_int_equal(mm_pause_begin(store, &err), APR_SUCCESS);
    assert_int_equal(mm_pause_renew(store, &err), APR_SUCCESS);
    unit_insert(store, "metrics_meta",
                "{'_id': 'spool:ffffffffffffffffffffffff', 'seq': {'$numberLong': '1'}, 'paused_until': {'$date': 1}}");
    assert_int_equal(mm_pause_renew(store, &err), APR_TIMEUP);
    assert_int_equal(mm_store_claim(store, "ffffffffffffffffffffffff", 2, NONCE, &err), APR_SUCCESS);
}

static void tells_when_the_database_is_away(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store =
        unit_store_at("mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=50&connectTimeoutMS=50", unit->pool);
    bool quiet = true;

    assert_int_equal(mm_pause_begin(store, &err), MM_STORE_AWAY);
    assert_int_equal(mm_pause_renew(store, &err), MM_STORE_AWAY);
    assert_int_equal(mm_pause_is_quiet(store, &quiet, &err), MM_STORE_AWAY);
    assert_false(quiet);
    assert_int_equal(mm_pause_end(store, &err), MM_STORE_AWAY);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_pause_keeps_batches_from_beginning),
        test(ends_by_itself),
        test(tells_when_the_database_is_away),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
