/* Access logs as streams of lines. */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "accesslog/logline.h"
#include "import/logfile.h"

static const char *file_with(unit_t *unit, const char *name, const char *data, size_t len)
{
    const char *path = apr_pstrcat(unit->pool, unit->dir, "/", name, NULL);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    close(fd);
    return path;
}

static mm_logfile_t *opened(unit_t *unit, const char *path)
{
    mm_logfile_t *file = NULL;
    mm_err_t err = {.text = ""};

    if (mm_logfile_open(&file, path, unit->pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return file;
}

static mm_logfile_t *with(unit_t *unit, const char *text)
{
    return opened(unit, file_with(unit, "access.log", text, strlen(text)));
}

static void next_is(mm_logfile_t *file, const char *expected)
{
    const char *line;
    size_t len;

    assert_int_equal(mm_logfile_next(file, &line, &len, NULL), APR_SUCCESS);
    if (len != strlen(expected) || memcmp(line, expected, len) != 0) {
        fail_msg("\"%.*s\", not \"%s\"", (int)len, line, expected);
    }
}

static void ends(mm_logfile_t *file)
{
    const char *line;
    size_t len;

    assert_int_equal(mm_logfile_next(file, &line, &len, NULL), APR_EOF);
}

static void gives_lines_and_offsets(void **state)
{
    mm_logfile_t *file = with(*state, "one\ntwo\r\n\nfour");

    assert_string_equal(mm_logfile_name(file), "access.log");
    assert_int_equal(mm_logfile_size(file), 14);
    next_is(file, "one");
    assert_int_equal(mm_logfile_offset(file), 4);
    next_is(file, "two");
    assert_int_equal(mm_logfile_offset(file), 9);
    next_is(file, "");
    ends(file);
    assert_int_equal(mm_logfile_offset(file), 10);
    assert_int_equal(mm_logfile_rest(file), 4);
    ends(file);
}

static void shows_the_head_before_the_first_line(void **state)
{
    unit_t *unit = *state;
    mm_logfile_t *file = with(unit, "one\ntwo\nthr");
    const char *head;
    size_t len;

    assert_int_equal(mm_logfile_head(file, &head, &len, NULL), APR_SUCCESS);
    assert_int_equal(len, 8);
    assert_memory_equal(head, "one\ntwo\n", 8);
    next_is(file, "one");
    assert_int_equal(mm_logfile_head(with(unit, "no line"), &head, &len, NULL), APR_SUCCESS);
    assert_int_equal(len, 0);
    assert_int_equal(mm_logfile_head(with(unit, ""), &head, &len, NULL), APR_SUCCESS);
    assert_int_equal(len, 0);
}

static void a_head_stays_what_it_is_when_the_log_grows(void **state)
{
    unit_t *unit = *state;
    char *text = apr_pcalloc(unit->pool, 100001);
    const char *head, *longer;
    size_t len, again;

    memset(text, 'x', 100000);
    for (size_t i = 99; i < 100000; i += 100) {
        text[i] = '\n';
    }
    assert_int_equal(mm_logfile_head(opened(unit, file_with(unit, "a", text, 4097)), &head, &len, NULL), APR_SUCCESS);
    assert_int_equal(len, 4000);
    assert_int_equal(mm_logfile_head(opened(unit, file_with(unit, "b", text, 100000)), &longer, &again, NULL),
                     APR_SUCCESS);
    assert_int_equal(again, len);
    memset(text, 'x', 8000); /* one line that is longer than a head */
    assert_int_equal(mm_logfile_head(opened(unit, file_with(unit, "c", text, 100000)), &head, &len, NULL), APR_SUCCESS);
    assert_int_equal(len, MM_LOGFILE_HEAD);
}

static void goes_to_an_offset(void **state)
{
    unit_t *unit = *state;
    mm_logfile_t *file = with(unit, "one\ntwo\nthree\n");
    char *text = apr_pcalloc(unit->pool, 3000001);

    assert_int_equal(mm_logfile_skip(file, 4, NULL), APR_SUCCESS);
    next_is(file, "two");
    assert_int_equal(mm_logfile_skip(with(unit, "one\n"), 5, NULL), APR_EOF);
    memset(text, 'x', 3000000);
    memcpy(text + 2999990, "\nlast one\n", 10);
    file = opened(unit, file_with(unit, "long", text, 3000000));
    assert_int_equal(mm_logfile_skip(file, 2999991, NULL), APR_SUCCESS);
    next_is(file, "last one");
    assert_int_equal(mm_logfile_offset(file), 3000000);
}

static void rewinds(void **state)
{
    unit_t *unit = *state;
    mm_logfile_t *file = with(unit, "one\ntwo\n");
    const char *line;
    size_t len;
    int ends_of[2];

    next_is(file, "one");
    assert_true(mm_logfile_rewind(file));
    assert_int_equal(mm_logfile_offset(file), 0);
    next_is(file, "one");
    assert_int_equal(pipe(ends_of), 0);
    file = opened(unit, apr_psprintf(unit->pool, "/dev/fd/%d", ends_of[0]));
    assert_int_equal(write(ends_of[1], "one\n", 4), 4);
    close(ends_of[1]);
    assert_false(mm_logfile_rewind(file));
    assert_int_equal(mm_logfile_next(file, &line, &len, NULL), APR_SUCCESS);
    close(ends_of[0]);
}

static void a_line_that_is_too_long_is_one_line(void **state)
{
    unit_t *unit = *state;
    size_t size = 10 * MM_LOGLINE_MAX;
    char *text = apr_palloc(unit->pool, size);
    mm_logfile_t *file;
    const char *line;
    size_t len;

    memset(text, 'x', size);
    memcpy(text, "one\n", 4);
    memcpy(text + size - 6, "\nlast\n", 6);
    file = opened(unit, file_with(unit, "long", text, size));
    next_is(file, "one");
    assert_int_equal(mm_logfile_next(file, &line, &len, NULL), APR_SUCCESS);
    assert_true(len > MM_LOGLINE_MAX);
    next_is(file, "last");
    assert_int_equal(mm_logfile_offset(file), (int64_t)size);
    ends(file);
}

static void pack(unit_t *unit, const char *program, const char *path)
{
    char *command = apr_psprintf(unit->pool, "%s -f '%s'", program, path);

    assert_int_equal(system(command), 0);
}

static void unpacks(void **state)
{
    unit_t *unit = *state;
    static const char *const programs[][2] = {{"gzip", ".gz"}, {"xz", ".xz"}, {"bzip2", ".bz2"}};
    char *text = apr_pcalloc(unit->pool, 1000001);

    for (size_t i = 0; i < 1000000; i++) {
        text[i] = "0123456789abcd\n"[i % 15];
    }
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        const char *path = file_with(unit, "log", text, 1000000);
        mm_logfile_t *file;
        const char *line;
        size_t len, n = 0;

        pack(unit, programs[i][0], path);
        file = opened(unit, apr_pstrcat(unit->pool, path, programs[i][1], NULL));
        next_is(file, "0123456789abcd");
        assert_true(mm_logfile_rewind(file));
        assert_int_equal(mm_logfile_skip(file, 15, NULL), APR_SUCCESS);
        while (mm_logfile_next(file, &line, &len, NULL) == APR_SUCCESS) {
            n++;
        }
        assert_int_equal(n, 66665);
        assert_int_equal(mm_logfile_rest(file), 10);
        assert_int_equal(mm_logfile_read(file), mm_logfile_size(file));
        mm_logfile_close(file);
    }
}

static void tells_of_damage(void **state)
{
    unit_t *unit = *state;
    const char *path = file_with(unit, "log", "one\ntwo\n", 8), *line;
    mm_err_t err = {.text = ""};
    mm_logfile_t *file;
    size_t len;
    apr_status_t rv;

    pack(unit, "gzip", path);
    path = apr_pstrcat(unit->pool, path, ".gz", NULL);
    assert_int_equal(truncate(path, 20), 0);
    file = opened(unit, path);
    while ((rv = mm_logfile_next(file, &line, &len, &err)) == APR_SUCCESS) {
    }
    assert_int_equal(rv, APR_EGENERAL);
    assert_non_null(strstr(err.text, "damaged"));
}

static void says_what_cannot_be_opened(void **state)
{
    unit_t *unit = *state;
    mm_logfile_t *file;
    mm_err_t err = {.text = ""};

    assert_true(APR_STATUS_IS_ENOENT(mm_logfile_open(&file, "/nonexistent/log", unit->pool, &err)));
    assert_non_null(strstr(err.text, "/nonexistent/log"));
    assert_int_equal(mm_logfile_open(&file, unit->dir, unit->pool, &err), APR_EINVAL);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(gives_lines_and_offsets),
        test(shows_the_head_before_the_first_line),
        test(a_head_stays_what_it_is_when_the_log_grows),
        test(goes_to_an_offset),
        test(rewinds),
        test(a_line_that_is_too_long_is_one_line),
        test(unpacks),
        test(tells_of_damage),
        test(says_what_cannot_be_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
