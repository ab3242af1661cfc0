/* Spools on network file systems are refused. There is none here: this file's fstatfs, in the place of the system's,
 * says of any directory what the test wants.
 */
#include "unit_spool.h"

#include <errno.h>
#include <sys/vfs.h>

#include "spool/spool.h"
#include "spool/spool_fs.h"

static uint32_t type;
static int failure;

/* The system's declares its arguments non-null and the like; they are the same. */
int fstatfs(int fd, struct statfs *fs)
{
    (void)fd;
    memset(fs, 0, sizeof(*fs));
    /* The field is a signed word; some numbers have their highest bit set. */
    fs->f_type = (int32_t)type;
    errno = failure;
    return failure == 0 ? 0 : -1;
}

static void refuses_networks(void **state)
{
    static const uint32_t networks[] = {0x6969, 0x517B, 0xFE534D42, 0xFF534D42};
    unit_t *unit = *state;
    char *dir = unit_path(unit, "spool");
    mm_err_t err = {0};
    int fd = -1;

    failure = 0;
    for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
        type = networks[i];
        assert_non_null(mm_spool_fs_refused(type));
        assert_int_equal(mm_spool_prepare(dir, (uid_t)-1, (gid_t)-1, unit->pool, &err), APR_EGENERAL);
        assert_non_null(strstr(err.text, mm_spool_fs_refused(type)));
        assert_non_null(strstr(err.text, dir));
        assert_false(unit_exists(unit, "spool/id"));
        assert_int_equal(mm_spool_lock(&fd, dir, unit->pool, &err), APR_EGENERAL);
        assert_non_null(strstr(err.text, "network"));
        assert_int_equal(fd, -1);
    }
}

static void takes_others(void **state)
{
    static const uint32_t others[] = {0, 0xEF53 /* ext4 */, 0x58465342 /* XFS */, 0x65735546 /* FUSE */};
    unit_t *unit = *state;
    mm_err_t err = {0};
    int fd = -1;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        type = others[i];
        assert_null(mm_spool_fs_refused(type));
        assert_int_equal(mm_spool_prepare(unit->dir, (uid_t)-1, (gid_t)-1, unit->pool, &err), APR_SUCCESS);
        assert_int_equal(mm_spool_lock(&fd, unit->dir, unit->pool, &err), APR_SUCCESS);
        close(fd);
    }
    failure = ENOSYS;
    assert_int_equal(mm_spool_prepare(unit->dir, (uid_t)-1, (gid_t)-1, unit->pool, &err), APR_SUCCESS);
    failure = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refuses_networks, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(takes_others, unit_setup, unit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
