/* Parents: each once, in order, bounded. */
#include "unit.h"
#include "store/catalog_private.h"

static const char *list(const mm_parents_t *parents, size_t resource, apr_pool_t *pool)
{
    mm_parent_node_t *const *nodes;
    size_t i, n = mm_parents_of(parents, resource, &nodes);
    const char *text = "";

    for (i = 0; i < n; i++) {
        text = apr_pstrcat(pool, text, nodes[i]->type, ":", nodes[i]->id, " ", NULL);
    }
    return text;
}

static void test_order_and_once(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    mm_parents_t *parents = mm_parents_make(3, pool);
    mm_parent_node_t **nodes;

    mm_parents_add(parents, 0, 1, "spaces", "a");
    mm_parents_add(parents, 0, 0, "sets", "z");
    mm_parents_add(parents, 0, 0, "sets", "b");
    mm_parents_add(parents, 0, 2, "unknown", "a");
    mm_parents_add(parents, 0, 2, "other", "a");
    mm_parents_add(parents, 0, 0, "sets", "z");
    mm_parents_add(parents, 0, 0, "sets", "");
    mm_parents_add(parents, 2, 0, "sets", "z");
    mm_parents_finish(parents);
    assert_string_equal(list(parents, 0, pool), "sets: sets:b sets:z spaces:a other:a unknown:a ");
    assert_string_equal(list(parents, 1, pool), "");
    assert_string_equal(list(parents, 2, pool), "sets:z ");
    assert_int_equal(mm_parents_of_rank(parents, 0, &nodes, pool), 3);
    assert_int_equal(mm_parents_of_rank(parents, 1, &nodes, pool), 1);
    assert_string_equal(nodes[0]->id, "a");
    assert_string_equal(nodes[0]->name, "");
    assert_int_equal(mm_parents_of_rank(parents, 7, &nodes, pool), 0);
}

static void test_copy_and_clear(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    mm_parents_t *parents = mm_parents_make(3, pool);
    mm_parent_node_t **nodes;

    mm_parents_add(parents, 2, 0, "t", "b");
    mm_parents_add(parents, 2, 0, "t", "a");
    mm_parents_copy(parents, 2, 0);
    mm_parents_add(parents, 1, 0, "t", "c");
    mm_parents_copy(parents, 2, 1);
    mm_parents_copy(parents, 2, 1);
    mm_parents_clear(parents, 2);
    mm_parents_add(parents, 2, 0, "t", "dropped");
    mm_parents_clear(parents, 2);
    mm_parents_finish(parents);
    assert_string_equal(list(parents, 0, pool), "t:a t:b ");
    assert_string_equal(list(parents, 1, pool), "t:a t:b t:c ");
    assert_string_equal(list(parents, 2, pool), "");
    assert_int_equal(mm_parents_of_rank(parents, 0, &nodes, pool), 3);
}

static void test_first_thousand_in_the_order_of_ids(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    mm_parents_t *parents = mm_parents_make(1, pool);
    mm_parent_node_t *const *nodes;
    size_t i;

    /* in falling order, so that each cut on the way must keep what comes later; and all of it twice */
    for (i = 0; i < 10000; i++) {
        mm_parents_add(parents, 0, 0, "t", apr_psprintf(pool, "%05u", (unsigned)(4999 - i % 5000)));
    }
    mm_parents_finish(parents);
    assert_int_equal(mm_parents_of(parents, 0, &nodes), MM_CATALOG_PARENTS_MAX);
    for (i = 0; i < MM_CATALOG_PARENTS_MAX; i++) {
        assert_string_equal(nodes[i]->id, apr_psprintf(pool, "%05u", (unsigned)i));
        assert_true(nodes[i]->kept);
    }
}

static void test_distinct_parents_are_bounded(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    mm_parents_t *parents = mm_parents_make(100, pool);
    mm_parent_node_t **nodes;
    unsigned i;

    for (i = 0; i < MM_CATALOG_DISTINCT_MAX + 5000; i++) {
        mm_parents_add(parents, i % 100, 0, "t", apr_psprintf(pool, "%u", i));
    }
    /* one that was met before is still known */
    mm_parents_add(parents, 99, 0, "t", "0");
    mm_parents_finish(parents);
    assert_int_equal(mm_parents_of_rank(parents, 0, &nodes, pool), MM_CATALOG_DISTINCT_MAX);
    assert_int_equal(strncmp(list(parents, 99, pool), "t:0 ", 4), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_order_and_once),
        TEST(test_copy_and_clear),
        TEST(test_first_thousand_in_the_order_of_ids),
        TEST(test_distinct_parents_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
