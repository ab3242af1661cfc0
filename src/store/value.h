/* Between our text and the values of BSON documents. Pure: no connection, and any bytes may come in.
 *
 * Text is data. What is valid UTF-8 is written as a BSON string, anything else as BSON binary (subtype 0); as the value
 * of a named field neither can become an operator, a field name or a path.
 */
#ifndef MM_VALUE_H
#define MM_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <apr_pools.h>
#include <bson/bson.h>

/* Buffer for mm_value_id: MM_STORE_TEXT_MAX and a zero. */
#define MM_VALUE_ID_SIZE 4097

void mm_value_append_text(bson_t *doc, const char *key, const char *text);

/* Appends to an array everything that n ids may be stored as: the text itself; where it is 24 hex digits, that
 * ObjectId; where it is an integer as we would print it, that integer (BSON compares numbers across their types). Texts
 * come first, then ObjectIds, then integers, each in the order of ids: ids in order give values in order, which a
 * server finds faster in an index. */
void mm_value_append_candidates(bson_t *array, const char *const *ids, size_t n);

/* The forms of an id; text that is no UTF-8 has only one, which is none of these. */
enum {
    MM_FORM_STRING = 1 << 0,
    MM_FORM_OBJECT_ID = 1 << 1,
    MM_FORM_NUMBER = 1 << 2,
    MM_FORMS_ALL = MM_FORM_STRING | MM_FORM_OBJECT_ID | MM_FORM_NUMBER
};
/* Those that one or another of n ids can have. */
unsigned mm_value_forms(const char *const *ids, size_t n);
/* mm_value_append_candidates without those that are in none of these forms. Returns how many there are. */
size_t mm_value_append_forms(bson_t *array, const char *const *ids, size_t n, unsigned forms);

/* The text of a value that can be an id: a string, binary of subtype 0, ObjectId, integer (also as a double), or a
 * sub-document whose _id or $id is one of these (a reference). False for anything else, and for one that is too long or
 * holds a zero byte. */
bool mm_value_id(const bson_iter_t *value, char buf[MM_VALUE_ID_SIZE]);

/* The text of a value that can be shown, cut at a zero byte and, at a character's border, at max bytes; NULL for
 * arrays, documents and the like. */
const char *mm_value_show(const bson_iter_t *value, size_t max, apr_pool_t *pool);

/* The same of a field of a document of ours, for a message: at most MM_VALUE_FIELD_MAX bytes, and "?" where there is
 * nothing to show. */
#define MM_VALUE_FIELD_MAX 64
const char *mm_value_show_field(const bson_t *doc, const char *key, apr_pool_t *pool);

/* The number in a counter: any integer (also as a double) that is not negative; 0 for anything else. */
int64_t mm_value_count(const bson_iter_t *value);

/* Calls fn for each value that a dotted path leads to, as MongoDB reads paths: through sub-documents and through the
 * elements of arrays, also those of an array at its end. fn returns false to stop. */
typedef bool (*mm_value_fn)(void *baton, const bson_iter_t *value);
void mm_value_walk(const bson_t *doc, const char *path, mm_value_fn fn, void *baton);

#endif
