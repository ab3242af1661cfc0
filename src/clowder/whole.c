/* The report of a million files in 20,000 datasets would read each dataset fifty times, and its list of files with it.
 * So where a report goes on and on, datasets and folders are read from their beginning to their end, a little before
 * each batch: as long as all look-ups before have taken, so that a report never takes twice what it would without.
 * Until the end is reached files are looked up as ever, and so they are where there are too many, or the database fails
 * at it.
 *
 * What comes out is a set of files. It has those that some dataset shows, and what was missed, as a file that went from
 * one dataset to another while they were read, is not in it. That is all that a member needs, who sees a file by way of
 * any of its datasets: whatever was missed shows less. To whom all of its datasets must be open, or the first, what was
 * missed could show more; for them the set only says which files need not be looked up.
 */
#include "clowder/whole.h"

#include <time.h>
#include "clowder/rights_private.h"
#include "clowder/set.h"

/* 12 bytes each, as files. */
#define DATASETS_MAX (128 * 1024)
#define SPACES_MAX   (32 * 1024)
/* Of one batch's time. */
#define MOMENT_US (INT64_C(200) * 1000)

typedef enum stage { SPACES, DATASETS, FOLDERS, OWNED, KNOWN, GIVEN_UP } stage_t;

struct mm_clowder_whole {
    const mm_clowder_rights_t *rights;
    apr_pool_t *parent, *pool, *scan_pool; /* the last two: NULL before the beginning */
    mm_clowder_set_t *spaces, *datasets, *files;
    size_t max; /* of files */
    mm_clowder_scan_t *scan;
    stage_t stage;
    int64_t earned_us;
    bool knows_owned;
};

int64_t mm_clowder_whole_clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

mm_clowder_whole_t *mm_clowder_whole_make(const mm_clowder_rights_t *rights, size_t max, apr_pool_t *pool)
{
    mm_clowder_whole_t *whole = apr_pcalloc(pool, sizeof(*whole));

    whole->rights = rights;
    whole->max = max;
    whole->parent = pool;
    /* On a public server a file is seen unless something hides it: that is not to be missed. */
    whole->stage = rights->rules->is_public ? GIVEN_UP : SPACES;
    return whole;
}

static void begin(mm_clowder_whole_t *whole)
{
    apr_pool_create(&whole->pool, whole->parent);
    apr_pool_create(&whole->scan_pool, whole->pool);
    whole->spaces = mm_clowder_set_make(SPACES_MAX, whole->pool);
    whole->datasets = mm_clowder_set_make(DATASETS_MAX, whole->pool);
    whole->files = mm_clowder_set_make(whole->max, whole->pool);
}

static void give_up(mm_clowder_whole_t *whole)
{
    whole->stage = GIVEN_UP;
    apr_pool_destroy(whole->pool);
}

/* --- documents ------------------------------------------------------------------------------------------------------
 */

/* By this dataset alone. */
static bool is_shown_by(const mm_clowder_whole_t *whole, const mm_clowder_doc_t *dataset)
{
    const mm_clowder_facts_t file = {.exists = true};
    mm_clowder_facts_t facts = {.exists = true,
                                .trashed = dataset->trashed,
                                .is_public = dataset->is_public,
                                .is_default = dataset->is_default};

    for (size_t i = 0; i < dataset->n_spaces; i++) {
        const mm_oid_t *space = &dataset->spaces[i];

        facts.has_role |= mm_clowder_has_role_in(whole->rights, space, MM_CLOWDER_VIEW_FILE);
        facts.in_public_space |= mm_clowder_set_has(whole->spaces, space);
    }
    return mm_clowder_sees_file(whole->rights->rules, whole->rights->rank, &file, &facts, 1);
}

static bool add_file(void *baton, const mm_oid_t *file)
{
    return mm_clowder_set_add(baton, file);
}

static bool add_files(const mm_clowder_whole_t *whole)
{
    return mm_clowder_scan_files(whole->scan, add_file, whole->files);
}

/* False where it is too much. */
static bool take(const mm_clowder_whole_t *whole, const mm_clowder_doc_t *doc)
{
    switch (whole->stage) {
    case SPACES:
        return !doc->is_public || mm_clowder_set_add(whole->spaces, &doc->id);
    case DATASETS:
        return !is_shown_by(whole, doc) || (mm_clowder_set_add(whole->datasets, &doc->id) && add_files(whole));
    case FOLDERS:
        return !mm_clowder_set_has(whole->datasets, &doc->id) || add_files(whole);
    case OWNED:
        return !doc->has_author || mm_oid_compare(&doc->author, &whole->rights->user->id) != 0 ||
               mm_clowder_set_add(whole->files, &doc->id);
    case KNOWN:
    case GIVEN_UP:
        break;
    }
    return false;
}

/* --- stages ---------------------------------------------------------------------------------------------------------
 */

static void open_scan(mm_clowder_whole_t *whole)
{
    static const mm_clowder_part_t parts[] = {[SPACES] = MM_CLOWDER_PUBLIC_SPACES,
                                              [DATASETS] = MM_CLOWDER_ALL_DATASETS,
                                              [FOLDERS] = MM_CLOWDER_ALL_FOLDERS,
                                              [OWNED] = MM_CLOWDER_FILES_OF};
    const mm_clowder_user_t *user = whole->rights->user;

    whole->scan =
        mm_clowder_scan_make(whole->rights->store, parts[whole->stage], user ? &user->id : NULL, whole->scan_pool);
}

/* What was read to its end is put in order, and the next is begun. Of files that one owns a part is as good as none. */
static void end_stage(mm_clowder_whole_t *whole)
{
    const bool has_failed = mm_clowder_scan_has_failed(whole->scan);

    whole->scan = NULL;
    apr_pool_clear(whole->scan_pool);
    if (has_failed && whole->stage != OWNED) {
        give_up(whole);
        return;
    }
    if (whole->stage == SPACES) {
        mm_clowder_set_order(whole->spaces);
    }
    else if (whole->stage == DATASETS) {
        mm_clowder_set_order(whole->datasets);
    }
    whole->knows_owned = whole->stage == OWNED && !has_failed;
    whole->stage++;
    if (whole->stage == OWNED && !whole->rights->user) {
        whole->stage++;
    }
    if (whole->stage == KNOWN) {
        mm_clowder_set_order(whole->files);
    }
}

static void read_on(mm_clowder_whole_t *whole)
{
    mm_clowder_doc_t doc;

    if (!whole->scan) {
        open_scan(whole);
    }
    if (!mm_clowder_scan_next(whole->scan, &doc)) {
        end_stage(whole);
    }
    else if (!take(whole, &doc)) {
        give_up(whole);
    }
}

bool mm_clowder_whole_read(mm_clowder_whole_t *whole)
{
    int64_t left = whole->earned_us < MOMENT_US ? whole->earned_us : MOMENT_US;
    const int64_t began = mm_clowder_whole_clock_us();
    int64_t took = 0;

    if (whole->stage < KNOWN && left > 0 && !whole->pool) {
        begin(whole);
    }
    while (whole->stage < KNOWN && took < left) {
        read_on(whole);
        took = mm_clowder_whole_clock_us() - began;
    }
    whole->earned_us -= took;
    return whole->stage == KNOWN;
}

void mm_clowder_whole_earn(mm_clowder_whole_t *whole, int64_t us)
{
    whole->earned_us += us;
}

bool mm_clowder_whole_has(const mm_clowder_whole_t *whole, const mm_oid_t *file)
{
    return mm_clowder_set_has(whole->files, file);
}

bool mm_clowder_whole_is_known(const mm_clowder_whole_t *whole)
{
    return whole->stage == KNOWN;
}

bool mm_clowder_whole_knows_owned(const mm_clowder_whole_t *whole)
{
    return whole->knows_owned;
}
