/* What the counters do not say: whether a drainer is there.
 *
 * Its lock cannot be tried: whoever has it for that moment keeps a drainer out that begins in it. The kernel's list of
 * locks can be read by anybody, and is true also where process numbers are given out again.
 */
#include "status/status_show.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_time.h>

#include "spool/spool.h"

/* A line is "1: FLOCK  ADVISORY  WRITE 4711 fd:01:1234 0 EOF". Devices are left out of the comparison: some file
 * systems have others here than stat(2) says. */
static int is_locked(ino_t inode)
{
    FILE *locks = fopen("/proc/locks", "re");
    char line[256];
    int found = 0;

    if (locks == NULL) {
        return -1;
    }
    while (!found && fgets(line, sizeof(line), locks) != NULL) {
        uintmax_t number;

        found = sscanf(line, "%*s FLOCK %*s %*s %*s %*x:%*x:%ju", &number) == 1 && number == (uintmax_t)inode;
    }
    fclose(locks);
    return found;
}

static int is_running(const char *dir)
{
    int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), running = -1;
    struct stat st;

    if (at < 0) {
        return -1;
    }
    running = fstatat(at, MM_SPOOL_LOCK_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 ? is_locked(st.st_ino) : 0;
    close(at);
    return running;
}

void mm_status_look(mm_status_view_t *view, const char *dir, const mm_status_page_t *page)
{
    memcpy(&view->page, page, sizeof(view->page));
    view->now_us = apr_time_now();
    view->running = is_running(dir);
    view->whole = mm_status_is_file(page);
}
