/* The segments known to the reader.
 *
 * Invariant: the first `sorted` items are in the order of their names, without doubles; a scan brings all into order.
 * What is known stays known until it is sure to be gone from the directory, whatever else is there: forgetting how far
 * a segment was read would count it twice. Only segments not yet known are left out when there are too many.
 *
 * On the heap rather than in a pool: a drainer lives for months and sees segments without end. One thread.
 */
#include "spool/spool_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM_FIRST 64

static int by_name(const void *a, const void *b)
{
    return strcmp(((const mm_segment_t *)a)->name, ((const mm_segment_t *)b)->name);
}

/* Of two of a name the one that was read farther comes first. */
static int by_name_and_offset(const void *a, const void *b)
{
    const mm_segment_t *one = a, *other = b;
    int order = by_name(a, b);

    return order != 0 ? order : (one->offset < other->offset) - (one->offset > other->offset);
}

static mm_segment_t *find(const mm_spool_list_t *list, size_t sorted, const char *name)
{
    mm_segment_t key;

    memcpy(key.name, name, sizeof(key.name));
    return sorted == 0 ? NULL : bsearch(&key, list->items, sorted, sizeof(key), by_name);
}

static mm_segment_t *append(mm_spool_list_t *list, const char *name, const mm_spool_name_t *parsed)
{
    mm_segment_t *item;

    if (list->n == list->room) {
        size_t room = list->room == 0 ? ROOM_FIRST : list->room * 2;
        mm_segment_t *grown = realloc(list->items, room * sizeof(*grown));

        if (grown == NULL) {
            return NULL;
        }
        list->items = grown;
        list->room = room;
    }
    item = &list->items[list->n++];
    memset(item, 0, sizeof(*item));
    memcpy(item->name, name, sizeof(item->name));
    item->seed = parsed->seed;
    return item;
}

static void sort_from(mm_spool_list_t *list, size_t from)
{
    if (list->n > from) {
        qsort(list->items + from, list->n - from, sizeof(*list->items), by_name_and_offset);
    }
}

/* A segment that got its name while the directory was being read may have been seen twice. */
static void drop_doubles(mm_spool_list_t *list)
{
    size_t from, to = 0;

    for (from = 0; from < list->n; from++) {
        if (to == 0 || by_name(&list->items[to - 1], &list->items[from]) != 0) {
            list->items[to++] = list->items[from];
        }
    }
    list->n = to;
}

static void bring_into_order(mm_spool_list_t *list)
{
    sort_from(list, 0);
    drop_doubles(list);
    list->sorted = list->n;
}

apr_status_t mm_spool_list_set(mm_spool_list_t *list, const char *name, int64_t offset)
{
    mm_spool_name_t parsed;
    mm_segment_t *item;

    if (!mm_spool_name_parse(&parsed, name)) {
        return APR_SUCCESS;
    }
    item = find(list, list->sorted, name);
    if (item == NULL) {
        /* A batch file has them in order; whatever else comes is sorted once, by the next scan. */
        bool in_order = list->sorted == list->n && (list->n == 0 || strcmp(list->items[list->n - 1].name, name) < 0);

        item = append(list, name, &parsed);
        if (item == NULL) {
            return APR_ENOMEM;
        }
        list->sorted += in_order ? 1 : 0;
    }
    item->offset = item->marked = offset > 0 ? offset : 0;
    return APR_SUCCESS;
}

/* Cuts the new ones, behind the first `known`, to the oldest that there is room for. */
static void keep_oldest(mm_spool_list_t *list, size_t known)
{
    size_t may = known < MM_SPOOL_LIST_MAX ? MM_SPOOL_LIST_MAX - known : 0;

    sort_from(list, known);
    if (list->n - known > may) {
        list->n = known + may;
        list->incomplete = true;
    }
}

/* Goes through the directory: marks in there[] the known segments that exist, appends the others. */
static apr_status_t take(mm_spool_list_t *list, DIR *dir, bool *there)
{
    const size_t known = list->n;
    struct dirent *entry;

    list->has_new = list->incomplete = false;
    while (errno = 0, (entry = readdir(dir)) != NULL) {
        mm_spool_name_t parsed;
        mm_segment_t *item;

        if (!mm_spool_name_parse(&parsed, entry->d_name)) {
            list->has_new = list->has_new || mm_spool_name_is_new(entry->d_name);
            continue;
        }
        item = find(list, known, entry->d_name);
        if (item != NULL) {
            there[item - list->items] = true;
            continue;
        }
        if (append(list, entry->d_name, &parsed) == NULL) {
            return APR_ENOMEM;
        }
        /* Not at every one, so that sorting them stays cheap. */
        if (list->n - known >= (size_t)2 * MM_SPOOL_LIST_MAX) {
            keep_oldest(list, known);
        }
    }
    return errno;
}

/* They would take the place of others. */
static void forget_removed(mm_spool_list_t *list)
{
    size_t from, to = 0;

    for (from = 0; from < list->n; from++) {
        if (!list->items[from].removed) {
            list->items[to++] = list->items[from];
        }
    }
    list->n = list->sorted = to;
}

/* Directories that change while they are read may leave an entry out, and not every failure to look means that there is
 * nothing. */
static bool is_gone(int dirfd, const char *name)
{
    return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

apr_status_t mm_spool_list_scan(mm_spool_list_t *list, DIR *dir, mm_err_t *err)
{
    size_t known, from, to = 0;
    bool *there;
    apr_status_t status;

    bring_into_order(list);
    forget_removed(list);
    known = list->n;
    there = calloc(known + 1, sizeof(*there));
    if (there == NULL) {
        return mm_err_set_os(err, APR_ENOMEM, "the spool's segments cannot be listed");
    }
    status = take(list, dir, there);
    if (status != APR_SUCCESS) {
        /* What was not seen may still be there. */
        list->n = known;
        free(there);
        return mm_err_set_os(err, status, "the spool's segments cannot be listed");
    }
    keep_oldest(list, known);
    for (from = 0; from < list->n; from++) {
        if (from >= known || there[from] || !is_gone(dirfd(dir), list->items[from].name)) {
            list->items[to++] = list->items[from];
        }
    }
    list->n = to;
    bring_into_order(list);
    free(there);
    return APR_SUCCESS;
}

void mm_spool_list_mark(mm_spool_list_t *list)
{
    size_t i;

    for (i = 0; i < list->n; i++) {
        list->items[i].marked = list->items[i].offset;
    }
}

void mm_spool_list_back(mm_spool_list_t *list)
{
    size_t i;

    for (i = 0; i < list->n; i++) {
        mm_segment_t *item = &list->items[i];

        if (item->offset != item->marked) {
            item->offset = item->marked;
            item->finished = false;
        }
    }
}

void mm_spool_list_free(mm_spool_list_t *list)
{
    free(list->items);
    memset(list, 0, sizeof(*list));
}
