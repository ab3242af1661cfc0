/* What the module has done since its spool was made: counters that all processes share, in one page of memory which is
 * the file `status` of the spool directory.
 *
 *   magic | version | made, microseconds since 1970 | 0 | 64 verdicts | values      (64 bits each, in the machine's
 * order)
 *
 * Children of httpd and the drainer map the file and add to it with relaxed atomics: no lock, no system call, and
 * nothing to sum up. The values live as long as the spool; of a process that is killed nothing is missing but what it
 * had not yet added. New values are added at the end of the list, so that a page serves older and newer versions.
 *
 * Nothing may depend on the page. One that is absent, cut, of another version, or on a file system or kernel where
 * touching memory that is a file might kill (spool/spool_window.h) is not used: values then go into memory that the
 * processes of one httpd share, or else into the process's own.
 */
#ifndef MM_STATUS_H
#define MM_STATUS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "status/status_list.h"

#define MM_STATUS_FILE "status"
#define MM_STATUS_SIZE 4096

/* Verdicts of count/rule.h that there is room for, at the end of the list. */
#define MM_STATUS_VERDICTS_MAX 64

typedef enum mm_status_value {
#define MM_STATUS_ENUM(symbol, family, label, value) MM_STATUS_##symbol,
    MM_STATUS_VALUES(MM_STATUS_ENUM)
#undef MM_STATUS_ENUM
        MM_STATUS_LISTED
} mm_status_value_t;

typedef struct mm_status_page {
    uint64_t magic, version;
    int64_t made_us;
    uint64_t reserved;
    _Atomic int64_t verdicts[MM_STATUS_VERDICTS_MAX];
    _Atomic int64_t values[(MM_STATUS_SIZE - 32 - 8 * MM_STATUS_VERDICTS_MAX) / 8];
} mm_status_page_t;

_Static_assert(sizeof(mm_status_page_t) == MM_STATUS_SIZE, "the page has no gaps");
_Static_assert(MM_STATUS_LISTED <= sizeof(((mm_status_page_t *)0)->values) / 8, "the list fits into the page");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "processes share the values without a lock");

/* Makes DIR/status, in the directory's owner's name, where there is none that is whole and of this version. *damaged
 * says that another one was in its place, whose values are lost. */
apr_status_t mm_status_prepare(const char *dir, bool *damaged, mm_err_t *err);

/* Processes forked from now on share the memory that mm_status_open gives them where it cannot give them the file. */
void mm_status_share(void);

/* Maps DIR/status. *page can be used whatever is returned; a failure says why its values are not those of the file. A
 * page is never unmapped: threads may still be counting when everything else has gone. */
apr_status_t mm_status_open(mm_status_page_t **page, const char *dir, mm_err_t *err);

/* Copies DIR/status, without touching mapped memory. */
apr_status_t mm_status_read(mm_status_page_t *page, const char *dir, mm_err_t *err);

/* To be asked about once a second, and before a look at it: page, while its memory can be written, else what takes its
 * place from then on. A file that somebody cut, or a disk that failed, would end a process that touches it; within that
 * second one still may. Any thread. */
mm_status_page_t *mm_status_trust(mm_status_page_t *page);

/* Whether it is the file's. */
bool mm_status_is_file(const mm_status_page_t *page);

/* page may be NULL. */
static inline void mm_status_add(mm_status_page_t *page, mm_status_value_t value, int64_t n)
{
    if (page != NULL) {
        atomic_fetch_add_explicit(&page->values[value], n, memory_order_relaxed);
    }
}

/* The same where the value then is at most limit; whether it was done. Whoever adds in this way, in any number of
 * threads and processes, never brings it above. */
static inline bool mm_status_add_within(mm_status_page_t *page, mm_status_value_t value, int64_t n, int64_t limit)
{
    int64_t now = page != NULL ? atomic_load_explicit(&page->values[value], memory_order_relaxed) : 0;

    /* Below 0 it is for a moment, while the drainer sets it right (drain/account.c). */
    while (page != NULL && n <= limit - (now > 0 ? now : 0)) {
        if (atomic_compare_exchange_weak_explicit(&page->values[value], &now, now + n, memory_order_relaxed,
                                                  memory_order_relaxed)) {
            return true;
        }
    }
    return page == NULL;
}

static inline void mm_status_set(mm_status_page_t *page, mm_status_value_t value, int64_t n)
{
    if (page != NULL) {
        atomic_store_explicit(&page->values[value], n, memory_order_relaxed);
    }
}

static inline void mm_status_add_verdict(mm_status_page_t *page, unsigned verdict, int64_t n)
{
    if (page != NULL && verdict < MM_STATUS_VERDICTS_MAX) {
        atomic_fetch_add_explicit(&page->verdicts[verdict], n, memory_order_relaxed);
    }
}

static inline int64_t mm_status_get(const mm_status_page_t *page, mm_status_value_t value)
{
    return page != NULL ? atomic_load_explicit(&page->values[value], memory_order_relaxed) : 0;
}

static inline int64_t mm_status_get_verdict(const mm_status_page_t *page, unsigned verdict)
{
    return page != NULL && verdict < MM_STATUS_VERDICTS_MAX
               ? atomic_load_explicit(&page->verdicts[verdict], memory_order_relaxed)
               : 0;
}

#endif
