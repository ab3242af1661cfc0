/* Clearing away what is younger than its writer's death: a file that is locked has one that lives. No state; one thread
 * per directory.
 */
#include "spool/spool_stale.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "spool/spool_name.h"

static void remove_one(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd >= 0) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            unlinkat(at, name, 0);
        }
        close(fd);
    }
}

void mm_spool_remove_stale(DIR *dir)
{
    struct dirent *entry;

    rewinddir(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (mm_spool_name_is_new(entry->d_name)) {
            remove_one(dirfd(dir), entry->d_name);
        }
    }
}
