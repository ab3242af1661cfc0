/* The spool directory itself: made, named, and drained by one process at a time.
 *
 * The directory holds what visitors did and is read by a process that believes it, so whoever can write to it can
 * invent uses. Hence the checks on owner and mode, on the open directory rather than on its name. No state; any
 * process.
 */
#include "spool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/file.h"
#include "spool/spool_fs.h"

#define ID_FILE "id"
/* The id file until it is whole, with what makes it unique behind. */
#define ID_TEMP_PREFIX ".id-"
/* More than 24 digits and a line end, to see that there is nothing more. */
#define ID_FILE_MAX 64

/* --- the directory ------------------------------------------------------------------------------------------------ */

static apr_status_t make_parents(const char *dir, apr_pool_t *pool, mm_err_t *err)
{
    char *path = apr_pstrdup(pool, dir);
    char *slash;

    for (slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        struct stat st;

        *slash = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST) {
            apr_status_t status = errno;

            /* A file system may refuse before it looks whether the directory is there. */
            if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
                return mm_err_set_os(err, status, "the directory %s, above the spool directory, cannot be made", path);
            }
        }
        *slash = '/';
    }
    return APR_SUCCESS;
}

/* Calls fn for every entry but . and .. until it returns false; whether it never did. */
static bool each_entry(int fd, bool (*fn)(void *baton, int fd, const char *name), void *baton)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *handle = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;
    bool go_on = handle != NULL;

    if (handle == NULL) {
        if (copy >= 0) {
            close(copy);
        }
        return false;
    }
    while (go_on && (entry = readdir(handle)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            go_on = fn(baton, fd, entry->d_name);
        }
    }
    closedir(handle);
    return go_on;
}

/* Another process may be making the id at this moment. */
static bool is_id_temp(void *baton, int fd, const char *name)
{
    (void)baton;
    (void)fd;
    return strncmp(name, ID_TEMP_PREFIX, sizeof(ID_TEMP_PREFIX) - 1) == 0;
}

typedef struct owner {
    uid_t uid;
    gid_t gid;
} owner_t;

static bool give_entry(void *baton, int fd, const char *name)
{
    const owner_t *owner = baton;

    return fchownat(fd, name, owner->uid, owner->gid, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT;
}

/* Only what is root's is given away, only if it is a spool or nothing yet (somebody may have configured /var), and the
 * directory last: until then nobody else can change what is in it. */
static apr_status_t give_to(int fd, const char *dir, const struct stat *st, uid_t uid, gid_t gid, mm_err_t *err)
{
    owner_t owner = {uid, gid};

    if (st->st_uid == uid) {
        return APR_SUCCESS;
    }
    if (st->st_uid != 0) {
        return mm_err_set(err, APR_EGENERAL,
                          "the spool directory %s belongs to user %ld, not to user %ld who is to write to it; stop "
                          "whatever uses it and give it away with chown -R %ld, or name another directory",
                          dir, (long)st->st_uid, (long)uid, (long)uid);
    }
    if (faccessat(fd, ID_FILE, F_OK, 0) != 0 && !each_entry(fd, is_id_temp, NULL)) {
        return mm_err_set(err, APR_EGENERAL,
                          "the directory %s belongs to root and holds something other than a spool; name one that is "
                          "empty or does not exist",
                          dir);
    }
    errno = 0;
    if (!each_entry(fd, give_entry, &owner) || fchown(fd, uid, gid) != 0) {
        return mm_err_set_os(err, errno, "the spool directory %s cannot be given to user %ld", dir, (long)uid);
    }
    return APR_SUCCESS;
}

static apr_status_t check_dir(int fd, const char *dir, struct stat *st, mm_err_t *err)
{
    if (fstat(fd, st) != 0) {
        return mm_err_set_os(err, errno, "the spool directory %s cannot be examined", dir);
    }
    if (st->st_mode & (S_IWGRP | S_IWOTH)) {
        return mm_err_set(err, APR_EGENERAL,
                          "the spool directory %s can be written to by others than its owner; say chmod 700 %s", dir,
                          dir);
    }
    return mm_spool_fs_check(fd, dir, err);
}

static apr_status_t check_owner(const struct stat *st, const char *dir, mm_err_t *err)
{
    if (st->st_uid == geteuid()) {
        return APR_SUCCESS;
    }
    return mm_err_set(err, APR_EACCES,
                      "the spool directory %s belongs to user %ld, but this process runs as user %ld; run it as its "
                      "owner, or name another directory",
                      dir, (long)st->st_uid, (long)geteuid());
}

static apr_status_t settle_owner(int fd, const char *dir, uid_t uid, gid_t gid, mm_err_t *err)
{
    struct stat st;
    apr_status_t status = check_dir(fd, dir, &st, err);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (geteuid() != 0) {
        return check_owner(&st, dir, err);
    }
    return uid == (uid_t)-1 ? APR_SUCCESS : give_to(fd, dir, &st, uid, gid, err);
}

/* The id that root makes is for the owner of the directory to read. */
static apr_status_t leave_to_owner(int dirfd, int fd)
{
    struct stat st;

    if (geteuid() != 0) {
        return APR_SUCCESS;
    }
    return fstat(dirfd, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) == 0 ? APR_SUCCESS : errno;
}

/* --- the id ------------------------------------------------------------------------------------------------------- */

/* Writes a new id into a file of that name; it is removed again by the caller. */
static apr_status_t write_id(int dirfd, const char *temp, const unsigned char *random)
{
    char text[MM_SPOOL_ID_LEN + 2];
    apr_status_t status;
    int i, fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        return errno;
    }
    for (i = 0; i < MM_SPOOL_ID_LEN / 2; i++) {
        snprintf(text + 2 * i, 3, "%02x", random[i]);
    }
    text[MM_SPOOL_ID_LEN] = '\n';
    status = leave_to_owner(dirfd, fd);
    if (status == APR_SUCCESS) {
        status = mm_file_write_all(fd, text, MM_SPOOL_ID_LEN + 1, NULL);
    }
    if (status == APR_SUCCESS && fsync(fd) != 0) {
        status = errno;
    }
    close(fd);
    return status;
}

/* link(2), not rename(2): of several processes that do this at once the first one's id stays. */
static apr_status_t make_id(int dirfd, const char *dir, mm_err_t *err)
{
    unsigned char random[MM_SPOOL_ID_LEN / 2 + 4];
    char temp[64];
    uint32_t suffix;
    apr_status_t status;

    if (faccessat(dirfd, ID_FILE, F_OK, 0) == 0) {
        return APR_SUCCESS;
    }
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        return mm_err_set_os(err, errno, "no random number for the id of the spool %s", dir);
    }
    memcpy(&suffix, random + MM_SPOOL_ID_LEN / 2, sizeof(suffix));
    snprintf(temp, sizeof(temp), ID_TEMP_PREFIX "%ld-%08" PRIx32, (long)getpid(), suffix);
    status = write_id(dirfd, temp, random);
    if (status == APR_SUCCESS && linkat(dirfd, temp, dirfd, ID_FILE, 0) != 0 && errno != EEXIST) {
        status = errno;
    }
    unlinkat(dirfd, temp, 0);
    if (status == APR_SUCCESS && fsync(dirfd) != 0) {
        status = errno;
    }
    if (status != APR_SUCCESS) {
        return mm_err_set_os(err, status, "the file %s/" ID_FILE ", which names the spool, cannot be made", dir);
    }
    return APR_SUCCESS;
}

apr_status_t mm_spool_prepare(const char *dir, uid_t uid, gid_t gid, apr_pool_t *pool, mm_err_t *err)
{
    apr_status_t status = make_parents(dir, pool, err);
    int fd;

    if (status != APR_SUCCESS) {
        return status;
    }
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        return mm_err_set_os(err, errno, "the spool directory %s cannot be made", dir);
    }
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return mm_err_set_os(err, errno, "the spool directory %s cannot be opened", dir);
    }
    status = settle_owner(fd, dir, uid, gid, err);
    if (status == APR_SUCCESS) {
        status = make_id(fd, dir, err);
    }
    close(fd);
    return status;
}

apr_status_t mm_spool_id(char *id, const char *dir, apr_pool_t *pool, mm_err_t *err)
{
    const char *path = apr_pstrcat(pool, dir, "/" ID_FILE, NULL);
    char *text;
    size_t len;
    apr_status_t status = mm_file_slurp(&text, &len, path, ID_FILE_MAX, pool, err);

    if (status != APR_SUCCESS && status != APR_ENOSPC) {
        return status;
    }
    if (status == APR_ENOSPC || len != MM_SPOOL_ID_LEN + 1 || text[MM_SPOOL_ID_LEN] != '\n' ||
        strspn(text, "0123456789abcdef") != MM_SPOOL_ID_LEN) {
        return mm_err_set(
            err, APR_EINVAL,
            "%s does not hold the spool's id (%d hexadecimal digits and a line end); restore it from a backup, or "
            "remove it and start again: a new one is made then",
            path, MM_SPOOL_ID_LEN);
    }
    memcpy(id, text, MM_SPOOL_ID_LEN);
    id[MM_SPOOL_ID_LEN] = '\0';
    return APR_SUCCESS;
}

/* --- the drainer's lock ------------------------------------------------------------------------------------------- */

/* Another process has the lock: says which, if it has already written its number. */
static apr_status_t held(int fd, const char *path, mm_err_t *err)
{
    char pid[16];
    ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

    pid[n > 0 ? n : 0] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
    return pid[0] != '\0' ? mm_err_set(err, APR_EAGAIN, "process %s holds %s", pid, path)
                          : mm_err_set(err, APR_EAGAIN, "another process holds %s", path);
}

/* A help for people. On a full disk it fails, and whoever holds the lock is the one to make room. */
static void write_pid(int fd)
{
    char pid[16];
    int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());

    if (ftruncate(fd, 0) == 0) {
        (void)mm_file_write_all(fd, pid, (size_t)len, NULL);
    }
}

static apr_status_t lock_at(int *fd, int dirfd, const char *path, mm_err_t *err)
{
    int f = openat(dirfd, MM_SPOOL_LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (f < 0) {
        return mm_err_set_os(err, errno, "%s cannot be opened", path);
    }
    if (flock(f, LOCK_EX | LOCK_NB) != 0) {
        apr_status_t status =
            errno == EWOULDBLOCK ? held(f, path, err) : mm_err_set_os(err, errno, "%s cannot be locked", path);

        close(f);
        return status;
    }
    write_pid(f);
    *fd = f;
    return APR_SUCCESS;
}

apr_status_t mm_spool_lock(int *fd, const char *dir, apr_pool_t *pool, mm_err_t *err)
{
    struct stat st;
    apr_status_t status;
    int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (at < 0) {
        return mm_err_set_os(err, errno, "the spool directory %s cannot be opened", dir);
    }
    status = check_dir(at, dir, &st, err);
    if (status == APR_SUCCESS) {
        status = check_owner(&st, dir, err);
    }
    if (status == APR_SUCCESS) {
        status = lock_at(fd, at, apr_pstrcat(pool, dir, "/" MM_SPOOL_LOCK_FILE, NULL), err);
    }
    close(at);
    return status;
}
