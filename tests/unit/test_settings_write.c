/* settings.json: what is written is read again, and goes into the file that is meant, for whom it is meant. */
#include "unit_settings.h"

#include <sys/stat.h>

#include "base/text.h"

static void reads_what_it_prints(void **state)
{
    unit_t *unit = *state;
    const char *text = mm_settings_print(sample(unit), unit->pool);
    mm_settings_t *read = NULL;
    mm_err_t err = {.text = ""};

    assert_non_null(text);
    assert_true(mm_text_is_utf8(text, strlen(text)));
    assert_non_null(strstr(text, "\n  \"prefix\""));
    assert_int_equal(mm_settings_parse(&read, text, strlen(text), unit->pool, &err), APR_SUCCESS);
    assert_sample(read);
    assert_string_equal(mm_settings_print(read, unit->pool), text);
}

static void writes_a_file_that_the_group_may_read(void **state)
{
    unit_t *unit = *state;
    const char *path = apr_pstrcat(unit->pool, unit->dir, "/" MM_SETTINGS_FILE, NULL);
    mm_settings_t *read = NULL;
    struct stat info;
    mm_err_t err = {.text = ""};

    assert_int_equal(mm_settings_write(mm_settings_create(unit->pool), unit->dir, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(mm_settings_write(sample(unit), unit->dir, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_int_equal(mm_settings_read(&read, path, unit->pool, &err), APR_SUCCESS);
    assert_sample(read);
}

/* The spool belongs to a user that root must not trust. */
static void writes_through_no_link(void **state)
{
    unit_t *unit = *state;
    const char *path = apr_pstrcat(unit->pool, unit->dir, "/" MM_SETTINGS_FILE, NULL);
    const char *target = apr_pstrcat(unit->pool, unit->dir, "/target", NULL);
    const char *temp = apr_psprintf(unit->pool, "%s.%ld.tmp", path, (long)getpid());
    struct stat info;

    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(symlink(target, temp), 0);
    assert_int_equal(mm_settings_write(sample(unit), unit->dir, unit->pool, NULL), APR_SUCCESS);
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISREG(info.st_mode));
    assert_int_not_equal(lstat(target, &info), 0);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(reads_what_it_prints),
        test(writes_a_file_that_the_group_may_read),
        test(writes_through_no_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
