/* Writing goes through one buffer, a chunk a frame. Files are written from the valid length on, never before it; a new
 * one is whole, and its name on the disk, before anything names it. One thread.
 */
#include "drain/window_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "count/form.h"
#include "drain/own.h"
#include "drain/reserve.h"
#include "drain/wait.h"
#include "spool/frame.h"

/* As in batch files: no visitor's bytes are in it. */
#define SEED      0
#define NAME_SIZE 40
#define FRAME_MAX (MM_FRAME_HEADER + MM_FORM_CHUNK_MAX)

static void print_name(char *name, int64_t generation)
{
    snprintf(name, NAME_SIZE, MM_WINDOW_LOG_PREFIX "%" PRId64, generation);
}

void mm_window_log_init(mm_window_log_t *wlog, const char *dir, mm_window_t *window, const mm_log_t *log)
{
    *wlog = (mm_window_log_t){
        .dir = dir, .log = log, .window = window, .fd = -1, .next_fd = -1, .anew = true, .littered = true};
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void mm_window_log_close(mm_window_log_t *wlog)
{
    close_fd(&wlog->fd);
    close_fd(&wlog->next_fd);
}

/* --- reading --- */

static apr_status_t take_frames(mm_window_t *window, uint8_t *buffer, size_t *len, bool *other_width, mm_err_t *err)
{
    size_t used = 0;

    while (used < *len) {
        const uint8_t *chunk;
        size_t chunk_len;
        mm_frame_state_t state = mm_frame_parse(buffer + used, *len - used, SEED, &chunk, &chunk_len);
        apr_status_t rv;

        if (state == MM_FRAME_PARTIAL) {
            break;
        }
        if (state == MM_FRAME_BROKEN || chunk_len == 0) {
            return mm_err_set(err, APR_EINVAL, "a frame is damaged");
        }
        rv = mm_form_take(window, chunk, chunk_len, other_width, err);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        used += MM_FRAME_HEADER + chunk_len;
    }
    memmove(buffer, buffer + used, *len - used);
    *len -= used;
    return APR_SUCCESS;
}

static apr_status_t read_all(mm_window_t *window, int fd, int64_t to, uint8_t *buffer, bool *other_width, mm_err_t *err)
{
    size_t len = 0;

    for (int64_t at = 0; at < to;) {
        size_t want = 2 * FRAME_MAX - len;
        ssize_t got = pread(fd, buffer + len, (int64_t)want < to - at ? want : (size_t)(to - at), (off_t)at);
        apr_status_t rv;

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return mm_err_set_os(err, errno, "cannot be read");
        }
        at += got;
        len += (size_t)got;
        rv = take_frames(window, buffer, &len, other_width, err);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (got == 0 || len == 2 * FRAME_MAX) {
            return mm_err_set(err, APR_EINVAL, got == 0 ? "it is too short" : "a frame is too long");
        }
    }
    return len == 0 ? APR_SUCCESS : mm_err_set(err, APR_EINVAL, "its last frame breaks off");
}

apr_status_t mm_window_log_read(mm_window_t *window, int fd, int64_t to, bool *other_width, mm_err_t *err)
{
    uint8_t *buffer = malloc(2 * FRAME_MAX);
    apr_status_t rv;

    *other_width = false;
    if (buffer == NULL) {
        return mm_err_set(err, APR_ENOMEM, "no memory to read it");
    }
    rv = read_all(window, fd, to, buffer, other_width, err);
    free(buffer);
    return rv;
}

void mm_window_log_load(mm_window_log_t *wlog, const mm_window_place_t *place)
{
    char path[4096], name[NAME_SIZE];
    mm_err_t why;
    apr_status_t rv;

    close_fd(&wlog->fd);
    mm_form_clear(wlog->window);
    wlog->place = *place;
    wlog->anew = true;
    wlog->room = 0;
    if (place->generation == 0) {
        return;
    }
    print_name(name, place->generation);
    snprintf(path, sizeof(path), "%s/%s", wlog->dir, name);
    wlog->fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    rv = wlog->fd >= 0 ? mm_window_log_read(wlog->window, wlog->fd, place->to, &wlog->anew, &why)
                       : mm_err_set_os(&why, errno, "cannot be opened");
    if (rv != APR_SUCCESS) {
        mm_log(wlog->log, MM_LOG_WARNING, "MM0230",
               "%s cannot be used (%s): clicks of the last half minute may count twice, and users of this hour as "
               "unique. Nothing else is lost",
               path, why.text);
        mm_form_clear(wlog->window);
        wlog->anew = true;
    }
    mm_form_settle(wlog->window, false); /* what went while it was read is in the file still */
}

void mm_window_log_back(mm_window_log_t *wlog)
{
    mm_window_place_t place = wlog->place;

    close_fd(&wlog->next_fd);
    mm_window_log_load(wlog, &place);
}

/* --- writing --- */

typedef struct output {
    int fd;
    int64_t at;
    apr_status_t status; /* of the first failure */
    uint8_t frame[FRAME_MAX];
} output_t;

static void put_chunk(void *baton, const uint8_t *chunk, size_t len)
{
    output_t *out = baton;
    size_t done = 0;

    memcpy(out->frame + MM_FRAME_HEADER, chunk, len);
    len = mm_frame_seal(out->frame, len, SEED);
    while (out->status == APR_SUCCESS && done < len) {
        ssize_t n = pwrite(out->fd, out->frame + done, len - done, (off_t)(out->at + (int64_t)done));

        if (n == 0 || (n < 0 && errno != EINTR)) {
            out->status = n == 0 ? EIO : errno;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    out->at += (int64_t)len;
}

/* From *to on; *to moves behind it when it is on the disk. */
static apr_status_t put_window(mm_window_log_t *wlog, int fd, int64_t *to, bool all, mm_err_t *err)
{
    output_t *out = calloc(1, sizeof(*out));
    apr_status_t rv;

    if (out == NULL) {
        return mm_err_set(err, APR_ENOMEM, "no memory to write the window of clicks");
    }
    out->fd = fd;
    out->at = *to;
    mm_form_put(wlog->window, all, put_chunk, out);
    if (out->status == APR_SUCCESS && fdatasync(fd) != 0) {
        out->status = errno;
    }
    rv = out->status;
    if (rv == APR_SUCCESS) {
        *to = out->at;
    }
    free(out);
    return rv == APR_SUCCESS ? rv : mm_err_set_os(err, rv, "cannot write the window of clicks in %s", wlog->dir);
}

/* What an earlier try left behind the end may hold secrets of yesterday. The room behind the end stays. */
static apr_status_t cut(const mm_window_log_t *wlog, int fd, int64_t to, mm_err_t *err)
{
    struct stat info;

    if (fstat(fd, &info) == 0 && (info.st_size <= to || ftruncate(fd, (off_t)to) == 0)) {
        return APR_SUCCESS;
    }
    return mm_err_set_os(err, errno, "cannot cut the window of clicks in %s to its length", wlog->dir);
}

/* Another file with all of it. */
static apr_status_t begin_anew(mm_window_log_t *wlog, mm_err_t *err)
{
    char name[NAME_SIZE];
    int dirfd = open(wlog->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    apr_status_t rv;

    if (dirfd < 0) {
        return mm_err_set_os(err, errno, "cannot open the spool %s", wlog->dir);
    }
    wlog->next = (mm_window_place_t){.generation = wlog->place.generation + 1};
    print_name(name, wlog->next.generation);
    rv = mm_own_create(&wlog->next_fd, dirfd, name, 0, err); /* over the room that is kept there, or old bytes */
    if (rv == APR_SUCCESS) {
        rv = put_window(wlog, wlog->next_fd, &wlog->next.to, true, err);
        if (rv == APR_SUCCESS) {
            rv = cut(wlog, wlog->next_fd, wlog->next.to, err);
        }
        if (rv == APR_SUCCESS && fsync(dirfd) != 0) {
            rv = mm_err_set_os(err, errno, "cannot flush the spool %s", wlog->dir);
        }
        if (rv != APR_SUCCESS) {
            close_fd(&wlog->next_fd);
            if (!wlog->anew) { /* else its room is the next try's */
                unlinkat(dirfd, name, 0);
            }
        }
    }
    close(dirfd);
    return rv;
}

/* Something that should not be there any more is in the file. */
static bool is_stale(const mm_window_log_t *wlog)
{
    return wlog->place.generation > 0 && mm_form_is_stale(wlog->window);
}

bool mm_window_log_untidy(mm_window_log_t *wlog, int64_t now_us)
{
    if (!is_stale(wlog) || (wlog->tidied_us > 0 && now_us - wlog->tidied_us < MM_THROTTLE_US)) {
        return false;
    }
    wlog->tidied_us = now_us;
    return true;
}

static bool is_worn(const mm_window_log_t *wlog)
{
    return wlog->place.to > 2 * mm_form_size(wlog->window) + MM_WINDOW_LOG_SLACK || mm_form_is_stale(wlog->window);
}

apr_status_t mm_window_log_append(mm_window_log_t *wlog, mm_window_place_t *place, mm_err_t *err)
{
    apr_status_t rv = APR_SUCCESS;

    close_fd(&wlog->next_fd);
    wlog->forgone = false;
    wlog->next = wlog->place;
    if (!mm_form_is_fresh(wlog->window) && !is_stale(wlog)) {
        *place = wlog->next;
        return APR_SUCCESS;
    }
    if (wlog->anew || is_worn(wlog)) {
        rv = begin_anew(wlog, err);
    }
    /* Where there is no room for another file there may be some for a little more of this one. */
    if (!wlog->anew && wlog->next_fd < 0) {
        wlog->next = wlog->place;
        rv = put_window(wlog, wlog->fd, &wlog->next.to, false, err);
    }
    *place = wlog->next;
    return rv;
}

void mm_window_log_forgo(mm_window_log_t *wlog, mm_window_place_t *place)
{
    wlog->littered = wlog->littered || wlog->next_fd >= 0;
    close_fd(&wlog->next_fd);
    wlog->next = wlog->place;
    wlog->forgone = true;
    *place = wlog->next;
}

static void tell_forgone(mm_window_log_t *wlog)
{
    int64_t times;

    if (mm_throttle_tell(&wlog->without, mm_wait_clock_us(), 1, &times)) {
        mm_log(wlog->log, MM_LOG_WARNING, "MM0231",
               "%s has no room for the window of clicks: %" PRId64 " batch(es) went without. If the drainer ended now, "
               "clicks of the last half minute might count twice, and users of this hour as unique",
               wlog->dir, times);
    }
}

void mm_window_log_written(mm_window_log_t *wlog)
{
    bool other = wlog->next_fd >= 0;

    if (wlog->forgone) {
        tell_forgone(wlog);
        return;
    }
    if (other) {
        close_fd(&wlog->fd);
        wlog->fd = wlog->next_fd;
        wlog->next_fd = -1;
        wlog->anew = false;
        wlog->littered = true;
        wlog->room = 0;
    }
    wlog->room -= other ? 0 : wlog->next.to - wlog->place.to;
    wlog->place = wlog->next;
    mm_form_settle(wlog->window, other);
}

static void remove_others(const mm_window_log_t *wlog)
{
    const size_t prefix = sizeof(MM_WINDOW_LOG_PREFIX) - 1;
    DIR *handle = opendir(wlog->dir);
    const struct dirent *entry;
    char own[NAME_SIZE], next[NAME_SIZE];

    print_name(own, wlog->place.generation);
    print_name(next, wlog->place.generation + wlog->anew); /* room is kept there */
    while (handle && (entry = readdir(handle)) != NULL) {
        if (strncmp(entry->d_name, MM_WINDOW_LOG_PREFIX, prefix) == 0 && strcmp(entry->d_name, own) != 0 &&
            strcmp(entry->d_name, next) != 0 &&
            entry->d_name[prefix + strspn(entry->d_name + prefix, "0123456789")] == '\0') {
            unlinkat(dirfd(handle), entry->d_name, 0);
        }
    }
    if (handle) {
        closedir(handle);
    }
}

void mm_window_log_settled(mm_window_log_t *wlog)
{
    if (wlog->littered) {
        remove_others(wlog);
        wlog->littered = false;
    }
    mm_window_log_reserve(wlog);
}

/* Where the next append begins another file for certain, its room is there. */
static void reserve_next(mm_window_log_t *wlog)
{
    int fd = -1, dirfd = open(wlog->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char name[NAME_SIZE];

    print_name(name, wlog->place.generation + 1);
    if (dirfd >= 0 && mm_own_create(&fd, dirfd, name, 0, NULL) == APR_SUCCESS) {
        wlog->room = mm_reserve_ahead(fd, 0, MM_WINDOW_LOG_ROOM);
        close(fd);
    }
    if (dirfd >= 0) {
        close(dirfd);
    }
}

void mm_window_log_reserve(mm_window_log_t *wlog)
{
    if (wlog->room >= MM_WINDOW_LOG_ROOM / 2) {
        return;
    }
    if (wlog->anew) {
        reserve_next(wlog);
    }
    else {
        wlog->room = mm_reserve_ahead(wlog->fd, wlog->place.to, MM_WINDOW_LOG_ROOM);
    }
}
