/* What is known of imported logs, in a real database. */
#include "unit_store.h"
#include "store/ledger.h"

#define LOG         "1111111111111111111111111111111111111111"
#define LONGER      "2222222222222222222222222222222222222222"
#define OTHER_SPOOL "ffffffffffffffffffffffff"

static mm_ledger_t ledger_of(const char *id, int64_t head, int64_t offset)
{
    mm_ledger_t ledger = {.head = head,
                          .offset = offset,
                          .lines = offset / 10,
                          .bad = 1,
                          .uses = 2,
                          .first_ms = 1000,
                          .last_ms = 2000 + offset};

    apr_cpystrn(ledger.id, id, sizeof(ledger.id));
    apr_cpystrn(ledger.name, "access.log", sizeof(ledger.name));
    return ledger;
}

static void put(mm_store_t *store, const mm_ledger_t *ledger)
{
    mm_err_t err = {.text = ""};

    if (mm_ledger_put(store, SPOOL, ledger, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
}

static mm_ledger_t found(mm_store_t *store, const char *const *ids, size_t n)
{
    mm_ledger_t ledger;
    mm_passes_t passes;

    assert_int_equal(mm_ledger_find(store, ids, n, &ledger, &passes, NULL), APR_SUCCESS);
    return ledger;
}

static void finds_what_was_put(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *const ids[] = {LOG};
    mm_ledger_t ledger = ledger_of(LOG, 100, 500), again;

    assert_int_equal(found(store, ids, 1).head, 0);
    put(store, &ledger);
    again = found(store, ids, 1);
    assert_string_equal(again.id, LOG);
    assert_int_equal(again.head, 100);
    assert_int_equal(again.offset, 500);
    assert_int_equal(again.lines, 50);
    assert_int_equal(again.bad, 1);
    assert_int_equal(again.uses, 2);
    assert_int_equal(again.first_ms, 1000);
    assert_int_equal(again.last_ms, 2500);
}

static void goes_only_forward(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *const ids[] = {LOG};
    mm_ledger_t late = ledger_of(LOG, 100, 500), early = ledger_of(LOG, 100, 300);

    put(store, &late);
    put(store, &early);
    put(store, &late);
    assert_int_equal(found(store, ids, 1).offset, 500);
    assert_int_equal(found(store, ids, 1).lines, 50);
    assert_int_equal(unit_count(store, "metrics_meta"), 1);
}

static void knows_a_log_by_the_longest_head(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *const ids[] = {LOG, LONGER};
    mm_ledger_t one = ledger_of(LOG, 100, 100), two = ledger_of(LONGER, 200, 900);

    put(store, &one);
    put(store, &two);
    assert_string_equal(found(store, ids, 2).id, LONGER);
    assert_string_equal(found(store, ids, 1).id, LOG);
}

static void a_claim_alone_is_no_beginning(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *const ids[] = {LOG, LONGER};
    mm_ledger_t one = ledger_of(LOG, 100, 100);

    put(store, &one);
    assert_int_equal(mm_ledger_claim(store, LONGER, SPOOL, false, NULL), APR_SUCCESS);
    assert_string_equal(found(store, ids, 2).id, LOG);
}

static void keeps_a_place_for_each_span_of_time(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *const ids[] = {LOG, LONGER};
    mm_ledger_t all = ledger_of(LOG, 100, 500), some = ledger_of(LOG, 100, 900), found;
    mm_passes_t passes;

    some.since_ms = 1000;
    some.until_ms = 2000;
    put(store, &some);
    put(store, &all);
    some.offset = 700; /* late */
    put(store, &some);
    assert_int_equal(mm_ledger_find(store, ids, 2, &found, &passes, NULL), APR_SUCCESS);
    assert_int_equal(found.offset, 900);
    assert_int_equal(passes.n, 2);
    assert_int_equal(mm_passes_to(&passes, 0, 0), 500);
    assert_int_equal(mm_passes_to(&passes, 1000, 2000), 900);

    apr_cpystrn(found.id, LONGER, sizeof(found.id));
    found.head = 200;
    assert_int_equal(mm_ledger_adopt(store, &found, &passes, NULL), APR_SUCCESS);
    assert_int_equal(mm_ledger_find(store, ids, 2, &found, &passes, NULL), APR_SUCCESS);
    assert_string_equal(found.id, LONGER);
    assert_int_equal(mm_passes_to(&passes, 0, 0), 500);
    assert_int_equal(mm_passes_to(&passes, 1000, 2000), 900);
}

static void is_one_importers_at_a_time(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_ledger_t ledger = ledger_of(LOG, 100, 100);
    mm_err_t err = {.text = ""};

    assert_int_equal(mm_ledger_claim(store, LOG, SPOOL, false, &err), APR_SUCCESS);
    assert_int_equal(mm_ledger_claim(store, LOG, SPOOL, false, &err), APR_SUCCESS);
    assert_int_equal(mm_ledger_claim(store, LOG, OTHER_SPOOL, false, &err), MM_LEDGER_TAKEN);
    assert_non_null(strstr(err.text, "--take-over"));
    assert_int_equal(mm_ledger_claim(store, LOG, OTHER_SPOOL, true, &err), APR_SUCCESS);
    assert_int_equal(mm_ledger_claim(store, LOG, SPOOL, false, &err), MM_LEDGER_TAKEN);
    /* What is not ours we do not give back. */
    ledger.done = true;
    put(store, &ledger);
    assert_int_equal(mm_ledger_claim(store, LOG, SPOOL, false, &err), MM_LEDGER_TAKEN);
    assert_int_equal(mm_ledger_release(store, LOG, OTHER_SPOOL, &err), APR_SUCCESS);
    assert_int_equal(mm_ledger_claim(store, LOG, SPOOL, false, &err), APR_SUCCESS);
    put(store, &ledger);
    assert_int_equal(mm_ledger_claim(store, LOG, OTHER_SPOOL, false, &err), APR_SUCCESS);
}

static void believes_no_document(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *const ids[] = {LOG, LONGER};

    unit_insert(store, "metrics_meta", "{'_id': 'log:" LOG "', 'head': 'x', 'offset': [1], 'lines': -5}");
    unit_insert(store, "metrics_meta",
                "{'_id': 'log:" LONGER
                "', 'head': 5, 'offset': -1, 'passes': {'x': 1, '1-': 2, '-1': 3, '1-2': 'x', '1-2-3': 4}}");
    assert_int_equal(found(store, ids, 2).head, 0);
    assert_int_equal(mm_ledger_claim(store, "$x", SPOOL, false, NULL), APR_EINVAL);
}

static void tells_when_the_database_is_away(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store =
        unit_store_at("mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=50&connectTimeoutMS=50", unit->pool);
    const char *const ids[] = {LOG};
    mm_ledger_t ledger = ledger_of(LOG, 1, 1);
    mm_passes_t passes;
    mm_err_t err;

    assert_int_equal(mm_ledger_claim(store, LOG, SPOOL, false, &err), MM_STORE_AWAY);
    assert_int_equal(mm_ledger_find(store, ids, 1, &ledger, &passes, &err), MM_STORE_AWAY);
    ledger = ledger_of(LOG, 1, 1);
    assert_int_equal(mm_ledger_put(store, SPOOL, &ledger, &err), MM_STORE_AWAY);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(finds_what_was_put),
        test(goes_only_forward),
        test(knows_a_log_by_the_longest_head),
        test(a_claim_alone_is_no_beginning),
        test(keeps_a_place_for_each_span_of_time),
        test(is_one_importers_at_a_time),
        test(believes_no_document),
        test(tells_when_the_database_is_away),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
