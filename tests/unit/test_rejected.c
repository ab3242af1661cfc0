/* What the database refused, as lines that a person and a program can read. */
#include "drain_unit.h"
#include <sys/resource.h>
#include "base/file.h"
#include "drain/rejected.h"

#define SPOOL "0123456789abcdef01234567"

static const mm_delta_t one = {.kind = MM_DELTA_USER,
                               .type = "files",
                               .id = "a \"quoted\"\nid",
                               .user = "\xff\xfe",
                               .views = 1,
                               .last_viewed_ms = NOON_MS,
                               .last_downloaded_ms = MM_TIME_NONE,
                               .first_seen_ms = NOON_MS};

static const mm_delta_t *const three[] = {&one, &one, &one};

static mm_rejected_t rejected_of(const unit_t *unit)
{
    return (mm_rejected_t){.dir = unit->dir, .spool_id = SPOOL, .seq = 7, .max = MM_REJECTED_MAX};
}

static char *slurp(const unit_t *unit, size_t *len)
{
    char *data;

    assert_int_equal(mm_file_slurp(&data, len, apr_pstrcat(unit->pool, unit->dir, "/" MM_REJECTED_FILE, NULL), 1 << 24,
                                   unit->pool, NULL),
                     APR_SUCCESS);
    return data;
}

static int count_lines(const char *data)
{
    int n = 0;

    for (; (data = strchr(data, '\n')) != NULL; data++) {
        n++;
    }
    return n;
}

static void writes_a_line_for_each(void **state)
{
    unit_t *unit = *state;
    mm_rejected_t rejected = rejected_of(unit);
    size_t left_out = 9, len;
    char *data, *end;
    bson_error_t error;
    bson_iter_t iter, found;
    bson_t doc;
    mm_err_t err;

    assert_int_equal(mm_rejected_append(&rejected, three, 2, "too \xff", &left_out, &err), APR_SUCCESS);
    assert_int_equal(mm_rejected_append(&rejected, three, 1, "no such \"index\"", &left_out, &err), APR_SUCCESS);
    assert_int_equal(left_out, 0);
    data = slurp(unit, &len);
    assert_int_equal(count_lines(data), 3);
    assert_int_equal(data[len - 1], '\n');
    end = strrchr(apr_pstrmemdup(unit->pool, data, len - 1), '\n') + 1;
    assert_true(bson_init_from_json(&doc, end, -1, &error));
    assert_true(bson_iter_init_find(&iter, &doc, "seq") && bson_iter_as_int64(&iter) == 7);
    assert_true(bson_iter_init_find(&iter, &doc, "spool"));
    assert_string_equal(bson_iter_utf8(&iter, NULL), SPOOL);
    assert_true(bson_iter_init_find(&iter, &doc, "reason"));
    assert_string_equal(bson_iter_utf8(&iter, NULL), "no such \"index\"");
    assert_true(bson_iter_init(&iter, &doc) && bson_iter_find_descendant(&iter, "delta.id", &found));
    assert_string_equal(bson_iter_utf8(&found, NULL), one.id);
    assert_true(bson_iter_init(&iter, &doc) && bson_iter_find_descendant(&iter, "delta.user", &found));
    assert_true(BSON_ITER_HOLDS_BINARY(&found));
    bson_destroy(&doc);
}

static void stops_at_its_maximum(void **state)
{
    unit_t *unit = *state;
    mm_rejected_t rejected = rejected_of(unit);
    size_t left_out, len, line;
    mm_err_t err;

    assert_int_equal(mm_rejected_append(&rejected, three, 1, "why", &left_out, &err), APR_SUCCESS);
    slurp(unit, &line);
    rejected.max = (int64_t)line * 3;
    assert_int_equal(mm_rejected_append(&rejected, three, 3, "why", &left_out, &err), APR_SUCCESS);
    assert_int_equal(left_out, 1);
    assert_int_equal(count_lines(slurp(unit, &len)), 3);
    assert_int_equal(len, line * 3);
    assert_int_equal(mm_rejected_append(&rejected, three, 3, "why", &left_out, &err), APR_SUCCESS);
    assert_int_equal(left_out, 3);
}

/* Not to be waited for: on a full disk the drainer must go on. */
static void leaves_out_what_has_no_room(void **state)
{
    unit_t *unit = *state;
    mm_rejected_t rejected = rejected_of(unit);
    struct rlimit before, small;
    size_t left_out, len, line;
    mm_err_t err = {.text = ""};

    assert_int_equal(mm_rejected_append(&rejected, three, 1, "why", &left_out, &err), APR_SUCCESS);
    slurp(unit, &line);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = line * 5 / 2; /* the second of them is torn, and cut off again */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    apr_status_t rv = mm_rejected_append(&rejected, three, 3, "why", &left_out, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rv, APR_SUCCESS);
    assert_int_equal(left_out, 2);
    slurp(unit, &len);
    assert_int_equal(len, 2 * line);
}

static void says_when_it_cannot_be_written(void **state)
{
    unit_t *unit = *state;
    mm_rejected_t rejected = rejected_of(unit);
    size_t left_out = 9;
    mm_err_t err = {.text = ""};

    assert_int_equal(mkdir(apr_pstrcat(unit->pool, unit->dir, "/" MM_REJECTED_FILE, NULL), 0700), 0);
    assert_int_equal(mm_rejected_append(&rejected, three, 3, "why", &left_out, &err), EISDIR);
    assert_int_equal(left_out, 0);
    assert_non_null(strstr(err.text, MM_REJECTED_FILE));
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(writes_a_line_for_each),
        test(stops_at_its_maximum),
        test(leaves_out_what_has_no_room),
        test(says_when_it_cannot_be_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
