/* The batches of an import, in a real database: what they take along, and what a failure leaves. */
#include "unit_import.h"

#include <sys/resource.h>
#include "drain/batch.h"
#include "import/import_private.h"

/* More documents than fit into a batch: the ledger stands within the log in between. */
static void a_long_log_takes_several_batches(void **state)
{
    setting_t *setting = setting_of(state);
    mm_import_t *import;

    setting->options.events_max = 100;
    import = started(setting, setting->unit->pool);
    assert_int_equal(read_log(import, log_of(setting->unit, "long.log", 0, 550)), MM_IMPORT_READ);
    finished(import);
    assert_int_equal(documents(setting, "metrics_datasets"), 550);
}

/* The database goes away behind the first batch's writing: the batch stays, nothing is written over it, and whoever
 * comes next applies it before anything else. */
static void a_batch_that_could_not_be_delivered_is_the_next_imports_first(void **state)
{
    setting_t *setting = setting_of(state);
    const char *batch = apr_pstrcat(setting->unit->pool, setting->options.dir, "/" MM_BATCH_FILE, NULL);
    apr_pool_t *pool;
    mm_import_t *import;
    mm_import_end_t end;
    mm_err_t err;

    apr_pool_create(&pool, setting->unit->pool);
    import = started(setting, pool);
    assert_int_equal(read_log(import, log_of(setting->unit, "a.log", 0, 50)), MM_IMPORT_READ);
    setting->stop = 1; /* the courier is told to stop before it has begun */
    assert_int_equal(mm_import_finish(import, &err), APR_EINTR);
    assert_int_equal(mm_import_finish(import, &err), APR_EINTR);
    assert_int_equal(access(batch, F_OK), 0);
    assert_int_equal(documents(setting, "metrics_datasets"), 0);
    apr_pool_destroy(pool);

    setting->stop = 0;
    import = started(setting, setting->unit->pool);
    assert_int_equal(documents(setting, "metrics_datasets"), 50);
    assert_int_not_equal(access(batch, F_OK), 0);
    assert_int_equal(mm_import_log(import, log_of(setting->unit, "a.log", 0, 50), &end, &err), APR_SUCCESS);
    assert_int_equal(end, MM_IMPORT_KNOWN);
    finished(import);
}

/* A window that is larger than all that the disk has left: the lines are counted, the import says so, and what was
 * remembered before stands. */
static void counts_where_a_window_has_no_room(void **state)
{
    enum { LINES = 2000 };
    setting_t *setting = setting_of(state);
    const struct rlimit small = {30000, RLIM_INFINITY}, again = {RLIM_INFINITY, RLIM_INFINITY};
    mm_logfile_t *second = log_of(setting->unit, "b.log", LINES, 20);
    mm_import_t *import;
    apr_pool_t *pool;

    apr_pool_create(&pool, setting->unit->pool);
    setting->options.policy.double_click_ms = 30000;
    import = started(setting, pool);
    assert_int_equal(read_log(import, log_of(setting->unit, "a.log", 0, LINES)), MM_IMPORT_READ);
    finished(import);
    assert_int_equal(mm_import_tally(import)->windowless, 0);
    apr_pool_destroy(pool);

    setting->options.policy.double_click_ms = 20000; /* it has to be written anew */
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    import = started(setting, setting->unit->pool);
    assert_int_equal(read_log(import, second), MM_IMPORT_READ);
    finished(import);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &again), 0);
    assert_int_equal(mm_import_tally(import)->windowless, 1);
    assert_int_equal(documents(setting, "metrics_datasets"), LINES + 20);
}

static void stops_when_it_is_told(void **state)
{
    setting_t *setting = setting_of(state);
    mm_import_t *import = started(setting, setting->unit->pool);
    mm_import_end_t end;
    mm_err_t err;

    setting->stop = 1;
    assert_int_equal(mm_import_log(import, log_of(setting->unit, "a.log", 0, 9000), &end, &err), APR_EINTR);
    assert_int_equal(documents(setting, "metrics_datasets"), 0);
}

static void two_do_not_share_a_directory(void **state)
{
    setting_t *setting = setting_of(state);
    mm_import_t *second;
    mm_err_t err = {.text = ""};

    started(setting, setting->unit->pool);
    assert_true(APR_STATUS_IS_EAGAIN(mm_import_create(&second, &setting->options, NULL, setting->unit->pool, &err)));
}

/* Clicks at 0, 20 and 60 s are two uses, whether they stand in one log or in three, each imported by another process.
 */
static void a_double_click_is_one_across_imports(void **state)
{
    setting_t *setting = setting_of(state);

    setting->options.policy.double_click_ms = 30000;
    for (int i = 0; i < 3; i++) {
        static const int seconds[] = {0, 20, 60};
        const char *text =
            apr_psprintf(setting->unit->pool,
                         "192.0.2.1 - ada [31/Jan/2026:12:%02d:%02d +0000] \"GET /datasets/d HTTP/1.1\" 200 "
                         "5 \"-\" \"Firefox\"\n",
                         seconds[i] / 60, seconds[i] % 60);
        apr_pool_t *pool;
        mm_import_t *import;

        apr_pool_create(&pool, setting->unit->pool);
        import = started(setting, pool);
        assert_int_equal(read_log(import, log_with(setting->unit, apr_psprintf(pool, "%d.log", i), text)),
                         MM_IMPORT_READ);
        finished(import);
        apr_pool_destroy(pool);
    }
    assert_int_equal(views_of(setting, "d"), 2);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_double_click_is_one_across_imports),
        test(a_long_log_takes_several_batches),
        test(a_batch_that_could_not_be_delivered_is_the_next_imports_first),
        test(counts_where_a_window_has_no_room),
        test(stops_when_it_is_told),
        test(two_do_not_share_a_directory),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
