/* Network file systems by their magic numbers. FUSE is let through: it is as often a local disk in a container as a
 * network. No state; any thread.
 */
#include "spool/spool_fs.h"

#include <stddef.h>
#include <sys/vfs.h>

/* As in linux/magic.h and statfs(2); some of them have no header. */
static const struct {
    uint32_t type;
    const char *name;
} refused[] = {
    {UINT32_C(0x6969), "NFS"},
    {UINT32_C(0x517B), "SMB"},
    {UINT32_C(0xFE534D42), "SMB"},
    {UINT32_C(0xFF534D42), "CIFS"},
};

const char *mm_spool_fs_refused(uint32_t type)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (refused[i].type == type) {
            return refused[i].name;
        }
    }
    return NULL;
}

apr_status_t mm_spool_fs_check(int fd, const char *dir, mm_err_t *err)
{
    struct statfs fs;
    const char *name = fstatfs(fd, &fs) == 0 ? mm_spool_fs_refused((uint32_t)fs.f_type) : NULL;

    if (name == NULL) {
        return APR_SUCCESS; /* nor is one refused of which nothing can be learned */
    }
    return mm_err_set(err, APR_EGENERAL,
                      "the spool directory %s is on a network file system (%s), whose locks cannot be relied on; name "
                      "a directory on a local disk, one for each host",
                      dir, name);
}
