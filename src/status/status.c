/* The page as a file: made whole beside its name and renamed into place, so that whoever opens it sees all of it.
 *
 * The blocks are on the disk before the name is, so that writing to the mapped page never needs room. The page is
 * believed only behind a look at its size, magic and version; its values are numbers and nothing else, so there is
 * nothing more to check. The process that makes it (httpd's parent, as root) never maps it: whoever owns the directory
 * could cut the file and kill it.
 */
#include "status/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_time.h>

#include "base/file.h"
#include "spool/spool_window.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* linux/mman.h, since 5.14 */
#endif

#define MAGIC   UINT64_C(0x7375746174534d4d) /* "MMStatus" */
#define VERSION 1

/* What a process counts into that cannot have the file: httpd's, through all its reloads, or else its own. */
static mm_status_page_t *shared;
static mm_status_page_t own;

static apr_status_t check(const mm_status_page_t *page, ssize_t len, const char *dir, mm_err_t *err)
{
    if (len != MM_STATUS_SIZE || page->magic != MAGIC || page->version != VERSION) {
        return mm_err_set(err, APR_EINVAL,
                          "%s/" MM_STATUS_FILE " is damaged or of another version; remove it and reload httpd: another "
                          "one is made, which begins at 0",
                          dir);
    }
    return APR_SUCCESS;
}

/* Of the first bytes only: a file that is longer is none of ours. */
static apr_status_t read_page(mm_status_page_t *page, int fd, const char *dir, mm_err_t *err)
{
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) != 0 || (n = pread(fd, page, sizeof(*page), 0)) < 0) {
        return mm_err_set_os(err, errno, "%s/" MM_STATUS_FILE " cannot be read", dir);
    }
    return check(page, S_ISREG(st.st_mode) && st.st_size == MM_STATUS_SIZE ? n : -1, dir, err);
}

/* O_NONBLOCK: a FIFO of that name must not hold us up. */
static apr_status_t open_file(int *fd, const char *dir, int flags, mm_err_t *err)
{
    int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    apr_status_t status;

    if (at < 0) {
        return mm_err_set_os(err, errno, "the spool directory %s cannot be opened", dir);
    }
    *fd = openat(at, MM_STATUS_FILE, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    status = *fd < 0 ? mm_err_set_os(err, errno, "%s/" MM_STATUS_FILE " cannot be opened", dir) : APR_SUCCESS;
    close(at);
    return status;
}

apr_status_t mm_status_read(mm_status_page_t *page, const char *dir, mm_err_t *err)
{
    int fd = -1;
    apr_status_t status = open_file(&fd, dir, O_RDONLY, err);

    if (status == APR_SUCCESS) {
        status = read_page(page, fd, dir, err);
        close(fd);
    }
    return status;
}

/* --- making it ---------------------------------------------------------------------------------------------------- */

static apr_status_t write_page(int at, int fd)
{
    static const mm_status_page_t zeros;
    mm_status_page_t page = zeros;
    struct stat st;
    apr_status_t status;

    page.magic = MAGIC;
    page.version = VERSION;
    page.made_us = apr_time_now();
    if (geteuid() == 0 && (fstat(at, &st) != 0 || fchown(fd, st.st_uid, st.st_gid) != 0)) {
        return errno;
    }
    status = mm_file_write_all(fd, &page, sizeof(page), NULL);
    return status == APR_SUCCESS && fsync(fd) != 0 ? errno : status;
}

/* Two processes that do this at once leave one page, whole; the other one counts into a file without a name until it
 * ends. */
static apr_status_t make(int at, const char *dir, mm_err_t *err)
{
    char temp[40];
    apr_status_t status = APR_SUCCESS;
    int fd;

    snprintf(temp, sizeof(temp), MM_STATUS_FILE ".%ld.tmp", (long)getpid());
    unlinkat(at, temp, 0);
    fd = openat(at, temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) {
        status = write_page(at, fd);
        close(fd);
    }
    if (fd < 0 || (status == APR_SUCCESS && renameat(at, temp, at, MM_STATUS_FILE) != 0)) {
        status = errno;
    }
    if (status != APR_SUCCESS) {
        unlinkat(at, temp, 0);
        return mm_err_set_os(err, status, "%s/" MM_STATUS_FILE ", which holds the counters, cannot be made", dir);
    }
    return APR_SUCCESS;
}

apr_status_t mm_status_prepare(const char *dir, bool *damaged, mm_err_t *err)
{
    mm_status_page_t page;
    mm_err_t why;
    apr_status_t status = mm_status_read(&page, dir, &why);
    int at;

    *damaged = false;
    if (status == APR_SUCCESS) {
        return status;
    }
    at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at < 0) {
        return mm_err_set_os(err, errno, "the spool directory %s cannot be opened", dir);
    }
    *damaged = faccessat(at, MM_STATUS_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    status = make(at, dir, err);
    close(at);
    return status;
}

/* --- using it ----------------------------------------------------------------------------------------------------- */

void mm_status_share(void)
{
    void *base;

    if (shared == NULL) {
        base = mmap(NULL, MM_STATUS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        shared = base != MAP_FAILED ? base : NULL;
    }
    if (shared != NULL && shared->made_us == 0) {
        shared->made_us = apr_time_now();
    }
}

/* See spool_window.h for what could kill, and why this does not. */
static apr_status_t map_page(mm_status_page_t **page, int fd, const char *dir, mm_err_t *err)
{
    void *base;

    if (!mm_spool_window_suits(fd)) {
        return mm_err_set(err, APR_ENOTIMPL, "the file system of %s does not suit a mapped file", dir);
    }
    base = mmap(NULL, MM_STATUS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        return mm_err_set_os(err, errno, "%s/" MM_STATUS_FILE " cannot be mapped", dir);
    }
    if (madvise(base, MM_STATUS_SIZE, MADV_POPULATE_WRITE) != 0) {
        apr_status_t status = errno;

        munmap(base, MM_STATUS_SIZE);
        return mm_err_set_os(err, status, "the memory of %s/" MM_STATUS_FILE " cannot be written", dir);
    }
    *page = base;
    return APR_SUCCESS;
}

apr_status_t mm_status_open(mm_status_page_t **page, const char *dir, mm_err_t *err)
{
    mm_status_page_t copy;
    int fd = -1;
    apr_status_t status = open_file(&fd, dir, O_RDWR, err);

    *page = shared != NULL ? shared : &own;
    if (status != APR_SUCCESS) {
        return status;
    }
    status = read_page(&copy, fd, dir, err);
    if (status == APR_SUCCESS) {
        status = map_page(page, fd, dir, err);
    }
    close(fd);
    return status;
}

mm_status_page_t *mm_status_trust(mm_status_page_t *page)
{
    if (page == NULL || page == shared || page == &own) {
        return page;
    }
    if (madvise(page, MM_STATUS_SIZE, MADV_POPULATE_WRITE) == 0) {
        return page;
    }
    return shared != NULL ? shared : &own;
}

bool mm_status_is_file(const mm_status_page_t *page)
{
    return page->magic == MAGIC;
}
