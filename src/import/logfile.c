/* One buffer, filled by read(2) and searched by memchr(3).
 *
 * buf[start … end) is what was read and not handed out; the byte at start stands at `offset` of the log. One thread.
 */
#include "import/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <apr_strings.h>
#include "accesslog/logline.h"

#define ROOM (4 * MM_LOGLINE_MAX)

struct mm_logfile {
    const char *path;
    int fd;             /* of the file */
    int in;             /* where bytes are read from: fd, or the program that unpacks it */
    pid_t program;      /* 0: none */
    const char *packed; /* the program's name, or NULL */
    int64_t size;
    bool looked; /* for what it is packed with */
    bool at_eof;
    bool torn; /* the line in the buffer has been handed out, and its end is still to come */
    int64_t offset;
    size_t start, end;
    char *buf;
};

extern char **environ;

static const struct {
    const char *magic;
    size_t len;
    const char *program;
    const char *package;
} packers[] = {
    {"\x1f\x8b", 2, "gzip", "gzip"},
    {"\xfd"
     "7zXZ\0",
     6, "xz", "xz-utils"},
    {"BZh", 3, "bzip2", "bzip2"},
    {"\x28\xb5\x2f\xfd", 4, "zstd", "zstd"},
};
#define PACKERS (sizeof(packers) / sizeof(packers[0]))

/* --- life ----------------------------------------------------------------------------------------------------------
 */

static void end_unpacking(mm_logfile_t *file)
{
    if (file->in >= 0 && file->in != file->fd) {
        close(file->in);
    }
    if (file->program > 0) { /* it ends when nobody reads any more */
        (void)waitpid(file->program, NULL, 0);
    }
    file->in = file->fd;
    file->program = 0;
    file->packed = NULL;
}

void mm_logfile_close(mm_logfile_t *file)
{
    end_unpacking(file);
    if (file->fd >= 0) {
        close(file->fd);
    }
    free(file->buf);
    file->in = file->fd = -1;
    file->buf = NULL;
    file->start = file->end = 0;
}

bool mm_logfile_rewind(mm_logfile_t *file)
{
    if (lseek(file->fd, 0, SEEK_SET) != 0) {
        return false;
    }
    end_unpacking(file);
    file->looked = file->at_eof = file->torn = false;
    file->start = file->end = 0;
    file->offset = 0;
    return true;
}

static apr_status_t close_file(void *file)
{
    mm_logfile_close(file);
    return APR_SUCCESS;
}

apr_status_t mm_logfile_open(mm_logfile_t **file, const char *path, apr_pool_t *pool, mm_err_t *err)
{
    mm_logfile_t *made = apr_pcalloc(pool, sizeof(*made));
    struct stat info;

    made->path = apr_pstrdup(pool, path);
    made->fd = strcmp(path, MM_LOGFILE_STDIN) == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_NOCTTY);
    if (made->fd < 0 || fstat(made->fd, &info) != 0) {
        return mm_err_set_os(err, errno, "%s cannot be opened", path);
    }
    if (S_ISDIR(info.st_mode)) {
        close(made->fd);
        return mm_err_set(err, APR_EINVAL, "%s is a directory", path);
    }
    fcntl(made->fd, F_SETFD, FD_CLOEXEC);
    made->in = made->fd;
    made->size = S_ISREG(info.st_mode) ? (int64_t)info.st_size : 0;
    apr_pool_cleanup_register(pool, made, close_file, apr_pool_cleanup_null);
    *file = made;
    return APR_SUCCESS;
}

const char *mm_logfile_name(const mm_logfile_t *file)
{
    const char *slash = strrchr(file->path, '/');

    return slash && slash[1] ? slash + 1 : file->path;
}

/* --- unpacking -----------------------------------------------------------------------------------------------------
 */

static apr_status_t spawn(mm_logfile_t *file, size_t packer, int out, mm_err_t *err)
{
    char name[16];
    char *const argv[] = {name, (char *)(uintptr_t) "-dc", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t pipe_only;
    int rc;

    /* Who is not read to the end ends without a word, although we ignore this signal. */
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawnattr_setsigdefault(&attributes, &pipe_only);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    apr_cpystrn(name, packers[packer].program, sizeof(name));
    rc = posix_spawn_file_actions_init(&actions);
    if (rc == 0) {
        posix_spawn_file_actions_adddup2(&actions, file->fd, STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
        rc = posix_spawnp(&file->program, name, &actions, &attributes, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attributes);
    if (rc != 0) {
        file->program = 0;
        return mm_err_set_os(err, rc, "%s is packed, and %s, which unpacks it, cannot be run (package %s)", file->path,
                             name, packers[packer].package);
    }
    return APR_SUCCESS;
}

static apr_status_t unpack(mm_logfile_t *file, size_t packer, mm_err_t *err)
{
    int ends[2];
    apr_status_t rv;

    if (lseek(file->fd, 0, SEEK_SET) != 0) {
        return mm_err_set(err, APR_EINVAL, "%s is packed and cannot be rewound; unpack it: %s -dc FILE | metricsctl …",
                          file->path, packers[packer].program);
    }
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return mm_err_set_os(err, errno, "no pipe to unpack %s", file->path);
    }
    (void)fcntl(ends[0], F_SETPIPE_SZ, 1024 * 1024);
    rv = spawn(file, packer, ends[1], err);
    close(ends[1]);
    if (rv != APR_SUCCESS) {
        close(ends[0]);
        return rv;
    }
    file->in = ends[0];
    file->packed = packers[packer].program;
    file->start = file->end = 0;
    file->at_eof = false;
    return APR_SUCCESS;
}

/* What is torn or damaged was unpacked up to there; nobody may think that this was all. */
static apr_status_t end_program(mm_logfile_t *file, mm_err_t *err)
{
    int status = 0;
    pid_t pid;

    if (file->program == 0) {
        return APR_SUCCESS;
    }
    do {
        pid = waitpid(file->program, &status, 0);
    } while (pid < 0 && errno == EINTR);
    file->program = 0;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0
               ? APR_SUCCESS
               : mm_err_set(err, APR_EGENERAL, "%s is damaged or not whole: %s could not unpack all of it", file->path,
                            file->packed);
}

/* --- reading -------------------------------------------------------------------------------------------------------
 */

/* Reads more behind what there is. At the end of the log *len does not change. */
static apr_status_t fill(mm_logfile_t *file, mm_err_t *err)
{
    ssize_t got;

    if (!file->buf) {
        file->buf = malloc(ROOM);
        if (!file->buf) {
            return mm_err_set(err, APR_ENOMEM, "no memory to read %s", file->path);
        }
    }
    if (file->start > 0) {
        memmove(file->buf, file->buf + file->start, file->end - file->start);
        file->end -= file->start;
        file->start = 0;
    }
    do {
        got = read(file->in, file->buf + file->end, ROOM - file->end);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return mm_err_set_os(err, errno, "%s cannot be read", file->path);
    }
    file->end += (size_t)got;
    file->at_eof = got == 0;
    return APR_SUCCESS;
}

/* More than so much, or all that there is. */
static apr_status_t fill_beyond(mm_logfile_t *file, size_t len, mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && !file->at_eof && file->end - file->start <= len) {
        rv = fill(file, err);
    }
    return rv;
}

static apr_status_t look(mm_logfile_t *file, mm_err_t *err)
{
    apr_status_t rv;

    if (file->looked) {
        return APR_SUCCESS;
    }
    rv = fill_beyond(file, MM_LOGFILE_HEAD, err);
    file->looked = rv == APR_SUCCESS;
    for (size_t i = 0; rv == APR_SUCCESS && i < PACKERS; i++) {
        if (file->end >= packers[i].len && memcmp(file->buf, packers[i].magic, packers[i].len) == 0) {
            return unpack(file, i, err);
        }
    }
    return rv;
}

static apr_status_t show(mm_logfile_t *file, size_t max, const char **data, size_t *len, mm_err_t *err)
{
    apr_status_t rv = look(file, err);
    const char *from, *end;

    if (rv == APR_SUCCESS) {
        rv = fill_beyond(file, max, err);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *data = from = file->buf + file->start;
    *len = file->end - file->start < max ? file->end - file->start : max;
    end = memrchr(from, '\n', *len);
    if (end) {
        *len = (size_t)(end - from) + 1;
    }
    else if (file->end - file->start <= max) {
        *len = 0; /* all that there is, and not a line */
    }
    return APR_SUCCESS;
}

apr_status_t mm_logfile_head(mm_logfile_t *file, const char **data, size_t *len, mm_err_t *err)
{
    return show(file, MM_LOGFILE_HEAD, data, len, err);
}

apr_status_t mm_logfile_sample(mm_logfile_t *file, const char **data, size_t *len, mm_err_t *err)
{
    return show(file, MM_LOGFILE_SAMPLE, data, len, err);
}

/* There is no more: APR_EOF, or that this is not all there should be. */
static apr_status_t at_end(mm_logfile_t *file, mm_err_t *err)
{
    apr_status_t rv = end_program(file, err);

    return rv == APR_SUCCESS ? APR_EOF : rv;
}

/* Throws away what is in the buffer, at most n bytes; returns how many that were. */
static int64_t drop(mm_logfile_t *file, int64_t n)
{
    int64_t there = (int64_t)(file->end - file->start);
    int64_t dropped = there < n ? there : n;

    file->start += (size_t)dropped;
    file->offset += dropped;
    return dropped;
}

apr_status_t mm_logfile_skip(mm_logfile_t *file, int64_t offset, mm_err_t *err)
{
    apr_status_t rv = look(file, err);

    if (rv == APR_SUCCESS && !file->packed && file->size >= offset && offset > (int64_t)file->end &&
        lseek(file->in, (off_t)offset, SEEK_SET) == (off_t)offset) {
        file->start = file->end = 0;
        file->offset = offset;
        return APR_SUCCESS;
    }
    while (rv == APR_SUCCESS && file->offset < offset) {
        drop(file, offset - file->offset);
        if (file->offset < offset) {
            rv = file->at_eof ? at_end(file, err) : fill(file, err);
        }
    }
    return rv;
}

/* Up to the end of a line that was too long and whose beginning was handed out. */
static bool mend(mm_logfile_t *file)
{
    const char *from = file->buf + file->start, *end = memchr(from, '\n', file->end - file->start);

    drop(file, end ? end - from + 1 : (int64_t)(file->end - file->start));
    file->torn = !end;
    return !file->torn;
}

/* A line that is in the buffer. */
static bool take(mm_logfile_t *file, const char **line, size_t *len)
{
    const char *from, *end;
    size_t there;

    if (!file->buf || (file->torn && !mend(file))) {
        return false;
    }
    from = file->buf + file->start;
    there = file->end - file->start;
    end = memchr(from, '\n', there);
    if (!end && there <= MM_LOGLINE_MAX) {
        return false;
    }
    file->torn = !end;
    *line = from;
    *len = end ? (size_t)(end - from) : MM_LOGLINE_MAX + 1;
    drop(file, (int64_t)*len + (end ? 1 : 0));
    *len -= *len > 0 && from[*len - 1] == '\r' ? 1 : 0;
    return true;
}

apr_status_t mm_logfile_next(mm_logfile_t *file, const char **line, size_t *len, mm_err_t *err)
{
    apr_status_t rv = look(file, err);

    while (rv == APR_SUCCESS && !take(file, line, len)) {
        rv = file->at_eof ? at_end(file, err) : fill(file, err);
    }
    return rv;
}

int64_t mm_logfile_offset(const mm_logfile_t *file)
{
    return file->offset;
}

int64_t mm_logfile_rest(const mm_logfile_t *file)
{
    return (int64_t)(file->end - file->start);
}

int64_t mm_logfile_size(const mm_logfile_t *file)
{
    return file->size;
}

int64_t mm_logfile_read(const mm_logfile_t *file)
{
    off_t at = file->fd >= 0 ? lseek(file->fd, 0, SEEK_CUR) : -1;

    return at >= 0 ? (int64_t)at - (file->packed ? 0 : (int64_t)(file->end - file->start)) : 0;
}
