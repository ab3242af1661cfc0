/* Numbers of batches, claimed in a real database. */
#include "unit_proxy.h"
#include <inttypes.h>

#define OTHER_SPOOL "ffffffffffffffffffffffff"
#define A           "aaaaaaaaaaaaaaaaaaaaaaaa"
#define B           "bbbbbbbbbbbbbbbbbbbbbbbb"

static mm_err_t err;

static apr_status_t claim(mm_store_t *store, const char *spool, int64_t seq, const char *nonce)
{
    apr_status_t status;

    err = (mm_err_t){.status = APR_SUCCESS};
    status = mm_store_claim(store, spool, seq, nonce, &err);
    assert_int_equal(status, err.status);
    return status;
}

static void test_claims_rise(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *json;

    assert_int_equal(claim(store, SPOOL, 1, A), APR_SUCCESS);
    json = unit_find(store, "metrics_meta", "spool:" SPOOL, unit->pool);
    assert_non_null(strstr(json, "'seq' : { '$numberLong' : '1' }"));
    assert_non_null(strstr(json, "'nonce' : '" A "'"));
    assert_non_null(strstr(json, "'host' : '"));
    assert_non_null(strstr(json, "'claimed' : { '$date' : "));
    assert_int_equal(claim(store, SPOOL, 2, B), APR_SUCCESS);
    assert_int_equal(claim(store, SPOOL, 9, A), APR_SUCCESS); /* batches without a use claim nothing */
    assert_int_equal(claim(store, SPOOL, INT64_MAX, B), APR_SUCCESS);
    assert_int_equal(unit_count(store, "metrics_meta"), 1);
}

static void test_the_same_again_is_fine(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    int i;

    for (i = 0; i < 3; i++) {
        assert_int_equal(claim(store, SPOOL, 7, A), APR_SUCCESS);
    }
    assert_int_equal(unit_count(store, "metrics_meta"), 1);
}

static void test_another_batch_of_this_number_is_foreign(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    assert_int_equal(claim(store, SPOOL, 7, A), APR_SUCCESS);
    assert_int_equal(claim(store, SPOOL, 7, B), MM_STORE_FOREIGN);
    assert_non_null(strstr(err.text, "another batch 7 of spool " SPOOL));
    assert_non_null(strstr(unit_find(store, "metrics_meta", "spool:" SPOOL, unit->pool), A));
    assert_int_equal(claim(store, SPOOL, 7, A), APR_SUCCESS);
}

static void test_an_earlier_number_is_foreign(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    assert_int_equal(claim(store, SPOOL, 17, A), APR_SUCCESS);
    assert_int_equal(claim(store, SPOOL, 16, A), MM_STORE_FOREIGN);
    assert_int_equal(claim(store, SPOOL, 1, B), MM_STORE_FOREIGN);
    assert_non_null(strstr(err.text, "batch 17 of spool " SPOOL));
    assert_non_null(strstr(err.text, "no batch 1 "));
}

static void test_spools_do_not_meet(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    assert_int_equal(claim(store, SPOOL, 17, A), APR_SUCCESS);
    assert_int_equal(claim(store, OTHER_SPOOL, 1, A), APR_SUCCESS);
    assert_int_equal(claim(store, OTHER_SPOOL, 17, B), APR_SUCCESS);
    assert_int_equal(claim(store, SPOOL, 18, B), APR_SUCCESS);
}

static void test_what_is_no_claim(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    assert_int_equal(claim(store, "short", 1, A), APR_EINVAL);
    assert_int_equal(claim(store, NULL, 1, A), APR_EINVAL);
    assert_int_equal(claim(store, SPOOL, 0, A), APR_EINVAL);
    assert_int_equal(claim(store, SPOOL, 1, ""), APR_EINVAL);
    assert_int_equal(claim(store, SPOOL, 1, NULL), APR_EINVAL);
    assert_int_equal(unit_count(store, "metrics_meta"), 0);
}

static void test_away(void **state)
{
    unit_t *unit = *state;
    int port, fd = unit_deaf_port(0, &port);
    mm_store_t *store =
        unit_store_at(apr_psprintf(unit->pool, "mongodb://ann:s3cret@127.0.0.1:%d/x", port), unit->pool);

    assert_int_equal(claim(store, SPOOL, 1, A), MM_STORE_AWAY);
    assert_null(strstr(err.text, "s3cret"));
    close(fd);
}

/* What the server may answer, and whether the claim stands then. */
static void test_bad_moments(void **state)
{
#define DUPLICATE "{'n': 0, 'writeErrors': [{'index': 0, 'code': 11000, 'errmsg': 'E11000 duplicate key'}], 'ok': 1}"
#define STEP(json)                                                                                                     \
    {                                                                                                                  \
        PROXY_REPLY, json                                                                                              \
    }
    static const struct {
        unit_step_t plan[2];
        int64_t known; /* by another host, before */
        apr_status_t status;
        size_t updates;
    } cases[] = {
        /* two at once: the other was first, with an earlier batch */
        {{STEP(DUPLICATE), {PROXY_PASS, NULL}}, 4, APR_SUCCESS, 2},
        {{STEP(DUPLICATE), {PROXY_PASS, NULL}}, 6, MM_STORE_FOREIGN, 2},
        /* the document was removed meanwhile */
        {{STEP(DUPLICATE), {PROXY_PASS, NULL}}, 0, APR_EGENERAL, 2},
        {{{PROXY_CUT_AFTER, NULL}, {PROXY_PASS, NULL}}, 0, MM_STORE_AWAY, 1},
        {{STEP("{'ok': 0, 'code': 10107, 'errmsg': 'not primary'}"), {PROXY_PASS, NULL}}, 0, MM_STORE_AWAY, 1},
        {{STEP("{'ok': 0, 'code': 13, 'errmsg': 'not authorized'}"), {PROXY_PASS, NULL}}, 0, APR_EGENERAL, 1},
        {{STEP("{'ok': 1, 'n': 1, 'writeConcernError': {'code': 64, 'errmsg': 'timed out'}}"), {PROXY_PASS, NULL}},
         0,
         APR_EGENERAL,
         1},
    };
    unit_t *unit = *state;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *uri = unit_mongo_uri(unit->pool);
        mm_store_t *direct = unit_store_at(uri, unit->pool), *through;
        unit_proxy_t proxy;
        apr_pool_t *pool;

        apr_pool_create(&pool, unit->pool);
        through = unit_proxy_start(&proxy, uri, cases[i].plan, 2, pool);
        if (cases[i].known) {
            assert_int_equal(claim(direct, SPOOL, cases[i].known, A), APR_SUCCESS);
        }
        assert_int_equal(claim(through, SPOOL, 5, B), cases[i].status);
        if (cases[i].status != APR_SUCCESS) {
            assert_true(err.text[0]);
        }
        if (cases[i].status == MM_STORE_AWAY) {
            /* heard or not, the next try stands */
            assert_int_equal(claim(direct, SPOOL, 5, B), APR_SUCCESS);
        }
        apr_pool_destroy(pool);
        unit_proxy_stop(&proxy);
        assert_int_equal(proxy.updates, cases[i].updates);
    }
}

static void test_a_batch_that_is_settled_is_known_for_it(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    bool settled = true;

    assert_int_equal(mm_store_claim(store, SPOOL, 1, A, &err), APR_SUCCESS);
    assert_int_equal(mm_store_settled(store, SPOOL, 1, A, &settled, &err), APR_SUCCESS);
    assert_false(settled);
    assert_int_equal(mm_store_settle(store, SPOOL, 1, A, &err), APR_SUCCESS);
    assert_int_equal(mm_store_settled(store, SPOOL, 1, A, &settled, &err), APR_SUCCESS);
    assert_true(settled);
    assert_int_equal(mm_store_claim(store, SPOOL, 2, A, &err), APR_SUCCESS);
    assert_int_equal(mm_store_settled(store, SPOOL, 2, A, &settled, &err), APR_SUCCESS);
    assert_false(settled);
    assert_int_equal(mm_store_settled(store, OTHER_SPOOL, 1, A, &settled, &err), APR_SUCCESS);
    assert_false(settled);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_claims_rise),
        TEST(test_a_batch_that_is_settled_is_known_for_it),
        TEST(test_the_same_again_is_fine),
        TEST(test_another_batch_of_this_number_is_foreign),
        TEST(test_an_earlier_number_is_foreign),
        TEST(test_spools_do_not_meet),
        TEST(test_what_is_no_claim),
        TEST(test_away),
        TEST(test_bad_moments),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
