/* Ids stand in chunks, so that growing copies nothing, and are put in order where they stand, byte by byte: qsort would
 * take as much memory again.
 */
#include "clowder/set.h"

#include <string.h>

#define CHUNK  4096
#define VALUES 256
/* So few are put in order one by one. */
#define FEW 24

struct mm_clowder_set {
    apr_pool_t *pool;
    mm_oid_t **chunks;
    size_t max, n;
};

mm_clowder_set_t *mm_clowder_set_make(size_t max, apr_pool_t *pool)
{
    mm_clowder_set_t *set = apr_palloc(pool, sizeof(*set));

    *set = (mm_clowder_set_t){.pool = pool, .max = max};
    set->chunks = apr_pcalloc(pool, (max / CHUNK + 1) * sizeof(*set->chunks));
    return set;
}

static mm_oid_t *id_at(const mm_clowder_set_t *set, size_t i)
{
    return &set->chunks[i / CHUNK][i % CHUNK];
}

bool mm_clowder_set_add(mm_clowder_set_t *set, const mm_oid_t *id)
{
    if (set->n == set->max) {
        return false;
    }
    if (set->n % CHUNK == 0) {
        set->chunks[set->n / CHUNK] = apr_palloc(set->pool, CHUNK * sizeof(mm_oid_t));
    }
    *id_at(set, set->n++) = *id;
    return true;
}

static void swap(mm_oid_t *a, mm_oid_t *b)
{
    const mm_oid_t was = *a;

    *a = *b;
    *b = was;
}

static void order_few(const mm_clowder_set_t *set, size_t from, size_t to)
{
    for (size_t i = from + 1; i < to; i++) {
        for (size_t j = i; j > from && mm_oid_compare(id_at(set, j), id_at(set, j - 1)) < 0; j--) {
            swap(id_at(set, j), id_at(set, j - 1));
        }
    }
}

/* Those whose bytes before this one are the same. */
static void order_by(const mm_clowder_set_t *set, size_t from, size_t to, size_t byte)
{
    size_t next[VALUES], ends[VALUES] = {0}, at = from;

    if (byte == MM_OID_SIZE || to - from <= FEW) {
        order_few(set, from, byte == MM_OID_SIZE ? from : to);
        return;
    }
    for (size_t i = from; i < to; i++) {
        ends[id_at(set, i)->bytes[byte]]++;
    }
    for (size_t value = 0; value < VALUES; value++) {
        next[value] = at;
        at += ends[value];
        ends[value] = at;
    }
    for (size_t value = 0; value < VALUES; value++) {
        while (next[value] < ends[value]) {
            const size_t home = id_at(set, next[value])->bytes[byte];

            swap(id_at(set, next[value]), id_at(set, next[home]));
            next[home]++;
        }
    }
    for (size_t value = 0; value < VALUES; value++) {
        order_by(set, value ? ends[value - 1] : from, ends[value], byte + 1);
    }
}

void mm_clowder_set_order(mm_clowder_set_t *set)
{
    order_by(set, 0, set->n, 0);
}

bool mm_clowder_set_has(const mm_clowder_set_t *set, const mm_oid_t *id)
{
    size_t low = 0, high = set->n;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = mm_oid_compare(id_at(set, middle), id);

        if (order == 0) {
            return true;
        }
        *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
    }
    return false;
}
