/* Refused documents: their own fault, or something larger. */
#include "unit.h"
#include "drain/refusals.h"

#define HOUR_US INT64_C(3600000000)
#define MAX_US  (6 * HOUR_US)
#define MANY    100

/* n documents that nobody has seen before, and all applied. */
typedef struct round {
    mm_delta_t deltas[MANY];
    mm_outcome_t outcomes[MANY];
    mm_refusals_call_t call;
} round_t;

static void make(round_t *round, size_t n, apr_pool_t *pool)
{
    static int unique;

    for (size_t i = 0; i < n; i++) {
        round->deltas[i] = (mm_delta_t){
            .kind = MM_DELTA_RESOURCE, .type = "files", .id = apr_psprintf(pool, "%d", unique++), .user = NULL};
        round->outcomes[i] = MM_APPLIED;
    }
    round->call = (mm_refusals_call_t){round->deltas, round->outcomes, n, 0};
}

static void refuse(round_t *round, size_t n, mm_outcome_t how)
{
    for (size_t i = 0; i < n; i++) {
        round->outcomes[i] = how;
    }
}

/* Whether refused of n documents are too many, in the light of what was before; if not, they are done. */
static bool judge(mm_refusals_t *refusals, size_t n, size_t refused, apr_pool_t *pool)
{
    round_t round;
    size_t many, of;

    make(&round, n, pool);
    refuse(&round, refused, MM_REJECTED);
    if (mm_refusals_systemic(refusals, &round.call, &many, &of)) {
        assert_true(many > 0 && of >= many);
        return true;
    }
    mm_refusals_done(refusals, &round.call);
    return false;
}

static void share_of_a_large_call(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    static const struct {
        size_t n, refused;
        bool systemic;
    } cases[] = {{20, 0, false}, {20, 2, false}, {20, 3, true},    {20, 20, true},
                 {99, 9, false}, {99, 10, true}, {100, 10, false}, {100, 11, true}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mm_refusals_t refusals = {0};

        assert_int_equal(judge(&refusals, cases[i].n, cases[i].refused, pool), cases[i].systemic);
    }
}

static void what_was_never_sent_is_nobodys_refusal(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    mm_refusals_t refusals = {0};
    round_t round;
    size_t many, of;

    make(&round, 50, pool);
    refuse(&round, 50, MM_UNSTORABLE);
    assert_false(mm_refusals_systemic(&refusals, &round.call, &many, &of));
    mm_refusals_done(&refusals, &round.call);
    assert_int_equal(refusals.refused, 0);
}

/* Of a few documents all may be broken; of several calls in a row not. */
static void several_calls_without_a_success(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    mm_refusals_t refusals = {0};

    assert_false(judge(&refusals, 2, 2, pool));
    assert_false(judge(&refusals, 1, 1, pool));
    assert_true(judge(&refusals, 3, 3, pool));
    assert_true(judge(&refusals, 3, 3, pool)); /* and again: what was not done changes nothing */
    assert_false(judge(&refusals, 3, 0, pool));
    assert_false(judge(&refusals, 1, 1, pool));
    assert_false(judge(&refusals, 1, 1, pool));
}

/* One broken document that everybody looks at is one broken document. */
static void popular_broken_document(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    mm_refusals_t refusals = {0};
    round_t round;
    size_t many, of;

    make(&round, 2, pool);
    refuse(&round, 2, MM_REJECTED);
    for (int i = 0; i < 100; i++) {
        assert_false(mm_refusals_systemic(&refusals, &round.call, &many, &of));
        mm_refusals_done(&refusals, &round.call);
    }
}

/* Calls are small when the database is slow, and that must not be a way around the share. */
static void share_of_many_small_calls(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    mm_refusals_t refusals = {0};
    int set_aside = 0;

    while (!judge(&refusals, 10, 5, pool)) {
        set_aside += 5;
        assert_true(set_aside < 20);
    }
    refusals = (mm_refusals_t){0};
    for (int i = 0; i < 50; i++) {
        assert_false(judge(&refusals, 10, 0, pool));
    }
    assert_false(judge(&refusals, 10, 5, pool));
    set_aside = 5;
    while (!judge(&refusals, 10, 5, pool)) {
        set_aside += 5;
        assert_true(set_aside < 40);
    }
}

/* --- stuck --- */

static size_t try(mm_refusals_t *refusals, round_t *round, int hour, size_t stuck)
{
    size_t n;

    refuse(round, stuck, MM_RETRY_ONE);
    n = mm_refusals_give_up(refusals, &round->call, (hour + 1) * HOUR_US, MAX_US);
    for (size_t i = 0; i < stuck; i++) {
        assert_int_equal(round->outcomes[i], n > 0 ? MM_REJECTED : MM_RETRY_ONE);
    }
    return n;
}

static void gives_up_after_a_time(void **state)
{
    mm_refusals_t refusals = {0};
    round_t round;

    make(&round, 5, ((unit_t *)*state)->pool);
    assert_int_equal(try(&refusals, &round, 0, 1), 0);
    assert_int_equal(try(&refusals, &round, 3, 1), 0);
    assert_int_equal(try(&refusals, &round, 5, 1), 0);
    assert_int_equal(try(&refusals, &round, 6, 1), 1);
}

static void begins_anew_with_each_batch(void **state)
{
    mm_refusals_t refusals = {0};
    round_t round;

    make(&round, 5, ((unit_t *)*state)->pool);
    assert_int_equal(try(&refusals, &round, 0, 1), 0);
    assert_int_equal(try(&refusals, &round, 5, 1), 0);
    mm_refusals_begin(&refusals);
    assert_int_equal(try(&refusals, &round, 6, 1), 0);
    assert_int_equal(try(&refusals, &round, 11, 1), 0);
    assert_int_equal(try(&refusals, &round, 12, 1), 1);
}

static void time_without_an_answer_does_not_count(void **state)
{
    mm_refusals_t refusals = {0};
    round_t round;

    make(&round, 5, ((unit_t *)*state)->pool);
    assert_int_equal(try(&refusals, &round, 0, 1), 0);
    assert_int_equal(try(&refusals, &round, 4, 1), 0);
    round.outcomes[4] = MM_RETRY;
    assert_int_equal(try(&refusals, &round, 5, 1), 0);
    round.outcomes[4] = MM_APPLIED;
    assert_int_equal(try(&refusals, &round, 9, 1), 0);
    assert_int_equal(try(&refusals, &round, 10, 1), 0);
    assert_int_equal(try(&refusals, &round, 11, 1), 1);
    /* nor does one that says nothing of the document itself make it forgotten */
    refusals = (mm_refusals_t){0};
    assert_int_equal(try(&refusals, &round, 0, 1), 0);
    assert_int_equal(try(&refusals, &round, 5, 1), 0);
    refuse(&round, 5, MM_RETRY);
    assert_int_equal(try(&refusals, &round, 6, 0), 0);
    refuse(&round, 5, MM_APPLIED);
    assert_int_equal(try(&refusals, &round, 8, 1), 0);
    assert_int_equal(try(&refusals, &round, 9, 1), 1);
}

/* Each document has its own time, and one that was taken in between has none. */
static void each_has_its_own_time(void **state)
{
    mm_refusals_t refusals = {0};
    round_t round;

    make(&round, 10, ((unit_t *)*state)->pool);
    round.outcomes[9] = MM_RETRY_ONE;
    assert_int_equal(try(&refusals, &round, 0, 0), 0);
    round.outcomes[8] = MM_RETRY_ONE;
    assert_int_equal(try(&refusals, &round, 4, 0), 0);
    assert_int_equal(try(&refusals, &round, 6, 0), 1);
    assert_int_equal(round.outcomes[9], MM_REJECTED);
    assert_int_equal(round.outcomes[8], MM_RETRY_ONE);
    round.outcomes[8] = MM_APPLIED;
    assert_int_equal(try(&refusals, &round, 8, 0), 0);
    round.outcomes[8] = MM_RETRY_ONE;
    assert_int_equal(try(&refusals, &round, 11, 0), 0);
    assert_int_equal(round.outcomes[8], MM_RETRY_ONE);
}

/* Only while others are taken: in this call, or of this batch before; or where there are no others. */
static void only_the_few_are_given_up(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    static const struct {
        size_t n, stuck;
        int64_t place;
        size_t given_up;
    } cases[] = {{1, 1, 0, 1},  {2, 2, 0, 2},  {5, 5, 0, 0}, {5, 5, 10, 5},
                 {50, 5, 0, 5}, {50, 6, 0, 0}, {5, 4, 0, 4}, {50, 50, 10, 0}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mm_refusals_t refusals = {0};
        round_t round;

        make(&round, cases[i].n, pool);
        round.call.place = cases[i].place;
        try(&refusals, &round, 0, cases[i].stuck);
        assert_int_equal(try(&refusals, &round, 6, cases[i].stuck), cases[i].given_up);
    }
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(share_of_a_large_call),           test(what_was_never_sent_is_nobodys_refusal),
        test(several_calls_without_a_success), test(popular_broken_document),
        test(share_of_many_small_calls),       test(gives_up_after_a_time),
        test(begins_anew_with_each_batch),     test(time_without_an_answer_does_not_count),
        test(each_has_its_own_time),           test(only_the_few_are_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
