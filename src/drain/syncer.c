/* With sync=batch segments grow by write(2), so a size tells whether there is anything to flush; a flush of nothing
 * would wake a disk every second. A segment that is seen for the first time is flushed whatever its size: an earlier
 * drainer may have died before it did.
 *
 * What was flushed is remembered by name, for the names of the last pass only. Memory: 56 bytes a segment, for
 * NAMES_MAX of them; any more are flushed in every pass.
 */
#include "drain/syncer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/throttle.h"
#include "drain/wait.h"
#include "spool/spool_list.h"
#include "spool/spool_name.h"

#define NAMES_MAX MM_SPOOL_LIST_MAX

typedef struct known {
    char name[MM_SPOOL_NAME_LEN + 1];
    int64_t flushed; /* so much of it; -1: its flush failed */
} known_t;

typedef struct names {
    known_t *items;
    size_t n, room;
} names_t;

struct mm_syncer {
    const char *dir;
    const mm_log_t *log;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    bool stop; /* under the mutex; everything below is the thread's */
    names_t names;
    mm_throttle_t failures;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const known_t *)a)->name, ((const known_t *)b)->name);
}

static const known_t *find(const names_t *names, const char *name)
{
    known_t key;

    memcpy(key.name, name, sizeof(key.name));
    return names->n > 0 ? bsearch(&key, names->items, names->n, sizeof(key), by_name) : NULL;
}

static void remember(names_t *names, const char *name, int64_t flushed)
{
    if (names->n == names->room) {
        size_t room = names->room == 0 ? 64 : names->room * 2;
        known_t *grown = room <= NAMES_MAX ? realloc(names->items, room * sizeof(*grown)) : NULL;

        if (grown == NULL) {
            return;
        }
        names->items = grown;
        names->room = room;
    }
    memcpy(names->items[names->n].name, name, sizeof(names->items->name));
    names->items[names->n++].flushed = flushed;
}

static void complain(mm_syncer_t *syncer, apr_status_t status, const char *name)
{
    int64_t times;
    mm_err_t err;

    if (mm_throttle_tell(&syncer->failures, mm_wait_clock_us(), 1, &times)) {
        mm_err_set_os(&err, status, "%s", name);
        mm_log(syncer->log, MM_LOG_ERROR, "MM0214",
               "%lld time(s) the spool %s could not be flushed to the disk; a power cut may cost the events of that "
               "time: %s",
               (long long)times, syncer->dir, err.text);
    }
}

/* Flushes what has grown since; returns up to where it is flushed. Gone meanwhile is no failure: it was counted. */
static int64_t flush_segment(mm_syncer_t *syncer, int at, const char *name, int64_t before)
{
    int64_t flushed = -1;
    struct stat st;
    int fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0) {
        if (errno != ENOENT) {
            complain(syncer, errno, name);
        }
        return -1;
    }
    if (fstat(fd, &st) == 0 && (st.st_size == before || fdatasync(fd) == 0)) {
        flushed = st.st_size;
    }
    else {
        complain(syncer, errno, name);
    }
    close(fd);
    return flushed;
}

static void flush_all(mm_syncer_t *syncer, DIR *dir)
{
    names_t now = {NULL, 0, 0};
    struct dirent *entry;
    bool has_new = false;

    while ((entry = readdir(dir)) != NULL) {
        mm_spool_name_t parsed;

        if (mm_spool_name_parse(&parsed, entry->d_name)) {
            const known_t *before = find(&syncer->names, entry->d_name);

            has_new = has_new || before == NULL;
            remember(&now, entry->d_name,
                     flush_segment(syncer, dirfd(dir), entry->d_name, before != NULL ? before->flushed : -1));
        }
    }
    /* On a failure it is tried with the next new segment. */
    if (has_new && fsync(dirfd(dir)) != 0) {
        complain(syncer, errno, "the directory itself");
    }
    if (now.n > 0) {
        qsort(now.items, now.n, sizeof(*now.items), by_name);
    }
    free(syncer->names.items);
    syncer->names = now;
}

static void pass(mm_syncer_t *syncer)
{
    DIR *dir = opendir(syncer->dir);

    if (dir == NULL) {
        complain(syncer, errno, "the directory cannot be opened");
        return;
    }
    flush_all(syncer, dir);
    closedir(dir);
}

static struct timespec at_us(int64_t us)
{
    return (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
}

static void *run(void *data)
{
    mm_syncer_t *syncer = data;
    bool stop = false;

    while (!stop) {
        struct timespec next = at_us(mm_wait_clock_us() + MM_SYNCER_PERIOD_US);

        pass(syncer);
        pthread_mutex_lock(&syncer->mutex);
        while (!syncer->stop && pthread_cond_timedwait(&syncer->woken, &syncer->mutex, &next) == 0) {
        }
        stop = syncer->stop;
        pthread_mutex_unlock(&syncer->mutex);
    }
    pass(syncer);
    free(syncer->names.items);
    return NULL;
}

/* With a clock that nobody sets. */
static int init(mm_syncer_t *syncer)
{
    pthread_condattr_t attr;
    int rc = pthread_mutex_init(&syncer->mutex, NULL);

    rc = rc == 0 ? pthread_condattr_init(&attr) : rc;
    rc = rc == 0 ? pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) : rc;
    return rc == 0 ? pthread_cond_init(&syncer->woken, &attr) : rc;
}

apr_status_t mm_syncer_start(mm_syncer_t **result, const char *dir, const mm_log_t *log, apr_pool_t *pool,
                             mm_err_t *err)
{
    mm_syncer_t *syncer = apr_pcalloc(pool, sizeof(*syncer));
    sigset_t all, before;
    int rc = init(syncer);

    syncer->dir = dir;
    syncer->log = log;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    rc = rc == 0 ? pthread_create(&syncer->thread, NULL, run, syncer) : rc;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        return mm_err_set_os(err, rc, "the thread that flushes the spool cannot be started");
    }
    *result = syncer;
    return APR_SUCCESS;
}

void mm_syncer_stop(mm_syncer_t *syncer)
{
    if (syncer != NULL) {
        pthread_mutex_lock(&syncer->mutex);
        syncer->stop = true;
        pthread_cond_signal(&syncer->woken);
        pthread_mutex_unlock(&syncer->mutex);
        pthread_join(syncer->thread, NULL);
    }
}
