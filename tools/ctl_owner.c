/* Giving up root's rights before a spool is touched.
 *
 * Whoever owns the spool can put anything into it, links included, so root must not write there, nor leave a file that
 * the owner cannot write to. There is no way back: the real and the saved user change, too.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_strings.h>
#include "ctl.h"

/* The directory as its name says, and not what a link of that name points to. A slash behind it would follow the link.
 */
static int look(struct stat *st, const char *dir, apr_pool_t *pool)
{
    char *path = apr_pstrdup(pool, dir);
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/') {
        path[--len] = '\0';
    }
    if (lstat(path, st) != 0) {
        return ctl_failed("the spool directory %s cannot be examined: %s", dir, strerror(errno));
    }
    if (!S_ISDIR(st->st_mode)) {
        return ctl_failed("%s is %s; for root the spool must be named as what it is", dir,
                          S_ISLNK(st->st_mode) ? "a symbolic link" : "no directory");
    }
    if (st->st_mode & (S_IWGRP | S_IWOTH)) {
        return ctl_failed("the spool directory %s can be written to by others than its owner; say chmod 700 %s", dir,
                          dir);
    }
    return CTL_OK;
}

static int become(uid_t uid, gid_t gid)
{
    const struct passwd *user = getpwuid(uid);

    if (setgid(gid) != 0 || (user != NULL ? initgroups(user->pw_name, gid) : setgroups(1, &gid)) != 0 ||
        setuid(uid) != 0) {
        return ctl_failed("cannot become user %ld, who owns the spool: %s", (long)uid, strerror(errno));
    }
    return CTL_OK;
}

int ctl_become_owner(const char *dir, apr_pool_t *pool)
{
    struct stat st;
    int code;

    if (geteuid() != 0) {
        return CTL_OK;
    }
    code = look(&st, dir, pool);
    if (code != CTL_OK || st.st_uid == 0) {
        return code;
    }
    return become(st.st_uid, st.st_gid);
}
