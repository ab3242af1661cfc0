/* Parents: each once, in order, bounded. */
#include "unit.h"
#include <time.h>
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

static void add_numbers(mm_parents_t *parents, size_t resource, unsigned from, unsigned to, unsigned step)
{
    unsigned i;

    for (i = from; i < to; i += step) {
        char id[16];

        snprintf(id, sizeof(id), "%06u", i);
        mm_parents_add(parents, resource, 0, "t", id);
    }
}

static void assert_numbers(const mm_parents_t *parents, size_t resource, size_t n, unsigned from, unsigned step)
{
    mm_parent_node_t *const *nodes;
    size_t i;

    assert_int_equal(mm_parents_of(parents, resource, &nodes), n);
    for (i = 0; i < n; i++) {
        assert_int_equal(strtoul(nodes[i]->id, NULL, 10), from + i * step);
    }
}

/* Long lists are merged, short ones added, full ones passed over; what is kept is always the first in order. */
static void test_copies_of_every_length(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    mm_parents_t *parents = mm_parents_make(6, pool);

    add_numbers(parents, 5, 0, 1800, 2); /* 900 even numbers */
    mm_parents_copy(parents, 5, 0);
    mm_parents_copy(parents, 5, 1);
    mm_parents_clear(parents, 5);
    add_numbers(parents, 5, 1, 1801, 2); /* 900 odd ones: 1800 in all, of which the first 1000 stay */
    mm_parents_copy(parents, 5, 0);
    mm_parents_copy(parents, 5, 0);
    mm_parents_copy(parents, 5, 2);
    mm_parents_clear(parents, 5);
    add_numbers(parents, 5, 1, 61, 2); /* a short one */
    mm_parents_copy(parents, 5, 1);
    mm_parents_clear(parents, 5);
    add_numbers(parents, 5, 5000, 6000, 1); /* behind everything */
    mm_parents_copy(parents, 5, 0);
    mm_parents_copy(parents, 5, 3);
    mm_parents_clear(parents, 5);
    add_numbers(parents, 5, 4000, 5000, 1); /* before everything: pushes out all */
    mm_parents_copy(parents, 5, 3);
    mm_parents_clear(parents, 5);
    add_numbers(parents, 5, 900, 3900, 1); /* more than a list holds, in the wrong half */
    add_numbers(parents, 5, 0, 900, 1);
    mm_parents_copy(parents, 5, 4);
    mm_parents_clear(parents, 5);
    mm_parents_finish(parents);
    assert_numbers(parents, 0, 1000, 0, 1);
    assert_int_equal(mm_parents_count(parents, 1), 930);
    assert_numbers(parents, 2, 900, 1, 2);
    assert_numbers(parents, 3, 1000, 4000, 1);
    assert_numbers(parents, 4, 1000, 0, 1);
    assert_numbers(parents, 5, 0, 0, 1);
}

/* A document of 500 resources and 1000 parents: the parents are put in order once, not 500 times. 20 such documents
 * took 4 s when they were. */
static void test_copies_are_cheap(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    mm_parents_t *parents = mm_parents_make(501, pool);
    clock_t before = clock();
    int document;
    size_t i;

    for (document = 0; document < 20; document++) {
        mm_parents_clear(parents, 500);
        add_numbers(parents, 500, 0, 1000, 1);
        for (i = 0; i < 500; i++) {
            mm_parents_copy(parents, 500, i);
        }
    }
#ifdef UNIT_SANITIZED
    assert_true((clock() - before) / CLOCKS_PER_SEC < 10);
#else
    assert_true((clock() - before) * 2 / CLOCKS_PER_SEC < 1);
#endif
    mm_parents_clear(parents, 500);
    mm_parents_finish(parents);
    assert_numbers(parents, 499, 1000, 0, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_copies_of_every_length),
        TEST(test_copies_are_cheap),
        TEST(test_order_and_once),
        TEST(test_copy_and_clear),
        TEST(test_first_thousand_in_the_order_of_ids),
        TEST(test_distinct_parents_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
