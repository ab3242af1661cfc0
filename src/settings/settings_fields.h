/* Which member of which struct is which member of the JSON. What writes settings and what reads them both go by this.
 *
 * A new kind of member is one more value here, and a case in settings_write.c and in settings_read.c.
 */
#ifndef MM_SETTINGS_FIELDS_H
#define MM_SETTINGS_FIELDS_H

#include "settings/settings.h"

typedef enum mm_settings_kind {
    MM_SETTINGS_NUMBER, /* int64_t; 0 is left out */
    MM_SETTINGS_COUNT,  /* the same, but 0 is written */
    MM_SETTINGS_TEXT,   /* const char *; NULL is left out */
    MM_SETTINGS_TEXTS,  /* apr_array_header_t * of const char * */
    MM_SETTINGS_RULES   /* apr_array_header_t * of mm_settings_rule_t */
} mm_settings_kind_t;

typedef struct mm_settings_field {
    const char *key;
    mm_settings_kind_t kind;
    size_t at;
} mm_settings_field_t;

#define MM_SETTINGS_MEMBER(base, field, type) (*(type *)((char *)(base) + (field)->at))

/* Both end with a key of NULL. */
extern const mm_settings_field_t mm_settings_site_fields[];
extern const mm_settings_field_t mm_settings_rule_fields[];

/* Every list of the struct, so that nobody meets a NULL. */
void mm_settings_make_lists(void *base, const mm_settings_field_t *fields, apr_pool_t *pool);

#endif
