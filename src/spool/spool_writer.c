/* Appending to the spool, on the path of every request: no allocation, no log, one copy into mapped memory, or one
 * write(2) where the file system has no window (spool_window.h) or sync= is not none. A flush protects the pages it has
 * written; with one every second nearly every touch of mapped memory would fault, and could fail where write(2)
 * answers.
 *
 * Invariant: a segment that has this process's lock is written by this process alone, and only through the descriptor
 * and the window kept here. Threads append under the shared lock; the exclusive one is held to change the segment or to
 * move its window, which is rare (once in MM_SPOOL_WINDOW_SIZE bytes, or behind a failure). With a window, threads take
 * their places one behind the other (`end`), so that there is never a gap between frames but the places of those that
 * are being copied; without one the kernel orders O_APPEND writes. A segment in which a write stopped half-way is never
 * written again: the torn frame stays at its end, but for frames that other threads were appending at that moment.
 *
 * The descriptor is closed only under the exclusive lock, or by a caller who vouches that nobody appends.
 *
 * Once a second an append looks whether somebody removed the segment: what goes into a file without a name is lost.
 * Before each would be better and would cost a third of a write; and whoever removes a spool loses more than that.
 */
#include "spool/spool_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/hot.h"
#include "spool/frame.h"
#include "spool/spool_commit.h"
#include "spool/spool_create.h"
#include "spool/spool_window.h"

/* Of most frames, and what a processor fetches at once. */
#define EXPECTED_SIZE 256
#define CACHE_LINE    64

/* How often a segment in which a write failed is replaced. */
#define REPLACE_NS INT64_C(1000000000)

/* What every append looks at comes first, side by side: whatever httpd has just sent has thrown it out of the
 * processor's caches. */
struct mm_spool_writer {
    pthread_rwlock_t lock;
    /* These any append may change. */
    atomic_llong end;        /* of what was appended, or has its place */
    atomic_llong looked;     /* second of the monotonic clock in which the segment was last seen to have a name */
    atomic_int failure;      /* why a write failed, if that is why */
    atomic_bool spent;       /* a write failed, or the file was removed: nothing more may go into this segment */
    _Atomic(uint8_t *) next; /* about where the next frame goes, for mm_spool_expect alone; may be anywhere */
    /* These change only under the exclusive lock. */
    bool mapped; /* this segment is written through the window, which may still be closed */
    mm_sync_t sync;
    mm_spool_window_t window;
    int64_t segment_max;
    int fd;         /* -1: no segment yet */
    unsigned forks; /* of our ancestors, when it was made */
    uint32_t seed;
    uint32_t made;
    int64_t replaced_ns; /* of the monotonic clock, when a failed segment was last replaced; 0: never */
    const char *dir;
    mm_spool_commit_t commit; /* with sync=event, the segment's; begun anew only under the exclusive lock */
};

/* How many forks lie between this process and the first that made a writer. What was opened before the last of them is
 * the parent's. getpid() would tell, too, but has been a system call for each append since glibc 2.25. */
static atomic_uint forks;

static void count_fork(void)
{
    atomic_fetch_add(&forks, 1);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

/* What was allocated and not used goes back to the disk. Nothing depends on it. */
static void close_window(mm_spool_writer_t *writer)
{
    if (writer->window.base != NULL && writer->forks == atomic_load(&forks)) {
        (void)!ftruncate(writer->fd, (off_t)atomic_load(&writer->end));
    }
    mm_spool_window_close(&writer->window);
}

/* In a child that was forked this closes the child's copy only. */
void mm_spool_writer_close(mm_spool_writer_t *writer)
{
    close_window(writer);
    if (writer->fd >= 0) {
        close(writer->fd);
        writer->fd = -1;
    }
}

apr_status_t mm_spool_writer_create(mm_spool_writer_t **writer, const char *dir, int64_t segment_max, mm_sync_t sync,
                                    apr_pool_t *pool, mm_err_t *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    mm_spool_writer_t *w = apr_pcalloc(pool, sizeof(*w));
    int rc = pthread_once(&once, watch_forks);

    rc = rc == 0 ? pthread_rwlock_init(&w->lock, NULL) : rc;
    rc = rc == 0 ? mm_spool_commit_init(&w->commit) : rc;
    if (rc != 0) {
        return mm_err_set_os(err, rc, "the lock of the spool's writer cannot be made");
    }
    w->dir = apr_pstrdup(pool, dir);
    w->segment_max = segment_max;
    w->sync = sync;
    w->fd = -1;
    atomic_init(&w->end, 0);
    atomic_init(&w->looked, -1);
    atomic_init(&w->spent, false);
    atomic_init(&w->failure, 0);
    *writer = w;
    return APR_SUCCESS;
}

/* --- the segment -------------------------------------------------------------------------------------------------- */

typedef enum condition { MISSING, FULL, GOOD } condition_t;

/* Coarse: a hundredth of a second is exact enough, and it is no system call. Never 0. */
static MM_HOT int64_t clock_ns(void)
{
    struct timespec now = {.tv_sec = 0};

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + 1;
}

static void give_up(mm_spool_writer_t *writer, apr_status_t why)
{
    atomic_store(&writer->failure, why);
    atomic_store(&writer->spent, true);
}

/* Once a second: whether the segment is still there, and its memory still good. */
static MM_HOT void look_after(mm_spool_writer_t *writer)
{
    apr_status_t status = APR_SUCCESS;
    int64_t now_s = clock_ns() / 1000000000;
    struct stat st;

    if (now_s == atomic_load(&writer->looked)) {
        return;
    }
    atomic_store(&writer->looked, now_s);
    if (fstat(writer->fd, &st) != 0 || st.st_nlink == 0) {
        atomic_store(&writer->spent, true);
    }
    else if (writer->window.base != NULL) {
        status = mm_spool_window_refresh(&writer->window, atomic_load(&writer->end));
    }
    if (status != APR_SUCCESS) {
        give_up(writer, status);
    }
}

/* A segment opened before a fork is the parent's. */
static MM_HOT condition_t condition(mm_spool_writer_t *writer)
{
    if (writer->fd < 0 || writer->forks != atomic_load(&forks)) {
        return MISSING;
    }
    look_after(writer);
    if (atomic_load(&writer->spent)) {
        return MISSING;
    }
    return atomic_load(&writer->end) < writer->segment_max ? GOOD : FULL;
}

/* Puts a new segment in the place of the current one. Under the exclusive lock. */
static apr_status_t begin_segment(mm_spool_writer_t *writer, mm_err_t *err)
{
    mm_spool_created_t created;
    apr_status_t status = mm_spool_create(&created, writer->dir, writer->made, writer->sync == MM_SYNC_EVENT, err);

    if (status != APR_SUCCESS) {
        return status;
    }
    mm_spool_writer_close(writer);
    writer->fd = created.fd;
    writer->forks = atomic_load(&forks);
    writer->seed = created.seed;
    writer->made++;
    writer->mapped = writer->sync == MM_SYNC_NONE && mm_spool_window_suits(created.fd);
    mm_spool_commit_begin(&writer->commit);
    atomic_store(&writer->end, 0);
    atomic_store(&writer->looked, -1);
    atomic_store(&writer->spent, false);
    atomic_store(&writer->failure, 0);
    return APR_SUCCESS;
}

/* The same, where the current one has failed or is none. Under the exclusive lock. */
static apr_status_t replace_segment(mm_spool_writer_t *writer, mm_err_t *err)
{
    apr_status_t failure = atomic_load(&writer->failure), status;
    int64_t now_ns = clock_ns();

    if (failure != 0 && writer->forks == atomic_load(&forks) && writer->replaced_ns != 0 &&
        now_ns - writer->replaced_ns < REPLACE_NS) {
        return mm_err_set_os(err, failure, "records cannot be written into the spool directory %s", writer->dir);
    }
    status = begin_segment(writer, err);
    if (status == APR_SUCCESS && failure != 0) {
        writer->replaced_ns = now_ns;
    }
    return status;
}

/* --- appending ---------------------------------------------------------------------------------------------------- */

static apr_status_t write_frame(mm_spool_writer_t *writer, const uint8_t *frame, size_t len, mm_err_t *err)
{
    apr_status_t status;
    ssize_t n;

    do {
        n = write(writer->fd, frame, len);
    } while (n < 0 && errno == EINTR);
    if (n == (ssize_t)len) {
        atomic_fetch_add(&writer->end, n);
        return APR_SUCCESS;
    }
    if (n >= 0) {
        give_up(writer, APR_ENOSPC);
        return mm_err_set(err, APR_ENOSPC, "only %zd of %zu bytes of a record went into the spool directory %s", n, len,
                          writer->dir);
    }
    status = errno;
    /* On a full disk nothing was written and nothing is torn; leaving the segment would make an empty one for every
     * request until there is room. */
    if (status != ENOSPC && status != EDQUOT) {
        give_up(writer, status);
    }
    return mm_err_set_os(err, status, "a record cannot be written into the spool directory %s", writer->dir);
}

/* The same, onto the disk. Under the shared lock, so that the descriptor stays what it is while it is flushed. */
static apr_status_t commit_frame(mm_spool_writer_t *writer, const uint8_t *frame, size_t len, mm_err_t *err)
{
    bool spent;
    apr_status_t status = mm_spool_commit(&writer->commit, writer->fd, frame, len, &spent);

    /* One that succeeded in a segment that is spent leaves it to the one whose failure spent it to say why; that one
     * has the lock, too, so nobody changes the segment before. */
    if (spent && status != APR_SUCCESS) {
        give_up(writer, status);
    }
    if (status != APR_SUCCESS) {
        return mm_err_set_os(err, status, "a record cannot be brought onto the disk of the spool directory %s",
                             writer->dir);
    }
    atomic_fetch_add(&writer->end, (long long)len);
    return APR_SUCCESS;
}

/* A place for a frame in the window; false if there is none. */
static MM_HOT bool take_place(mm_spool_writer_t *writer, size_t len, int64_t *at)
{
    long long end = atomic_load(&writer->end);

    do {
        if (writer->window.base == NULL || end + (int64_t)len > writer->window.to) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&writer->end, &end, end + (long long)len));
    *at = end;
    return true;
}

/* Whether a frame can be appended without moving the window. One that is longer than what is kept writable cannot. */
static MM_HOT bool has_room(const mm_spool_writer_t *writer, size_t len)
{
    return !writer->mapped || (writer->window.base != NULL && len <= MM_SPOOL_WINDOW_AHEAD &&
                               atomic_load(&writer->end) + (int64_t)len <= writer->window.to);
}

/* Moves the window on. Where that fails (the last kilobytes of a disk, an old kernel), the rest of this segment is
 * written without one. Under the exclusive lock. */
static void move_window(mm_spool_writer_t *writer, size_t len)
{
    int64_t end = atomic_load(&writer->end);

    mm_spool_window_close(&writer->window);
    if (mm_spool_window_open(&writer->window, writer->fd, end, len) == APR_SUCCESS) {
        return;
    }
    writer->mapped = false;
    /* O_APPEND writes at the end of the file, which must be the end of the frames. */
    if (ftruncate(writer->fd, (off_t)end) != 0) {
        give_up(writer, errno);
    }
}

/* Makes the segment one to which len bytes can be appended. Under the exclusive lock. */
static apr_status_t make_good(mm_spool_writer_t *writer, size_t len, mm_err_t *err)
{
    condition_t now = condition(writer);
    apr_status_t status = APR_SUCCESS;

    if (now == MISSING) {
        status = replace_segment(writer, err);
    }
    else if (now == FULL) {
        /* Too large a segment is better than a lost record. */
        (void)begin_segment(writer, NULL);
    }
    if (status == APR_SUCCESS && !has_room(writer, len)) {
        move_window(writer, len);
    }
    return status;
}

/* Takes the lock, shared if the segment is good, exclusive behind changing it. */
static MM_HOT apr_status_t lock_segment(mm_spool_writer_t *writer, size_t len, mm_err_t *err)
{
    apr_status_t status = pthread_rwlock_rdlock(&writer->lock);

    if (status != 0) {
        return mm_err_set_os(err, status, "the spool's writer cannot be locked");
    }
    if (condition(writer) == GOOD && has_room(writer, len)) {
        return APR_SUCCESS;
    }
    pthread_rwlock_unlock(&writer->lock);
    status = pthread_rwlock_wrlock(&writer->lock);
    if (status != 0) {
        return mm_err_set_os(err, status, "the spool's writer cannot be locked");
    }
    status = make_good(writer, len, err);
    if (status != APR_SUCCESS) {
        pthread_rwlock_unlock(&writer->lock);
    }
    return status;
}

MM_HOT void mm_spool_expect(mm_spool_writer_t *writer)
{
    const uint8_t *next = atomic_load_explicit(&writer->next, memory_order_relaxed);

    __builtin_prefetch(&writer->lock, 1);
    for (size_t at = 0; next && at < EXPECTED_SIZE; at += CACHE_LINE) {
        __builtin_prefetch(next + at, 1);
    }
}

MM_HOT apr_status_t mm_spool_append(mm_spool_writer_t *writer, uint8_t *buf, size_t payload_len, mm_err_t *err)
{
    size_t len = MM_FRAME_HEADER + payload_len;
    apr_status_t status;
    int64_t at = 0;
    bool placed;

    if (payload_len > MM_FRAME_PAYLOAD_MAX) {
        return mm_err_set(err, APR_EINVAL, "a record of %zu bytes is longer than the %u a frame may hold", payload_len,
                          MM_FRAME_PAYLOAD_MAX);
    }
    while ((status = lock_segment(writer, len, err)) == APR_SUCCESS) {
        placed = take_place(writer, len, &at);
        /* Other threads may have filled the window since lock_segment looked. */
        if (placed || !writer->mapped) {
            mm_frame_seal(buf, payload_len, writer->seed);
            break;
        }
        pthread_rwlock_unlock(&writer->lock);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    if (placed) {
        mm_spool_window_put(&writer->window, at, buf, len);
        atomic_store_explicit(&writer->next, writer->window.base + (at - writer->window.from) + len,
                              memory_order_relaxed);
    }
    else {
        status =
            writer->sync == MM_SYNC_EVENT ? commit_frame(writer, buf, len, err) : write_frame(writer, buf, len, err);
    }
    pthread_rwlock_unlock(&writer->lock);
    return status;
}
