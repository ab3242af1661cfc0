/* Strings of JSON (RFC 8259). */
#ifndef MM_JSON_H
#define MM_JSON_H

#include "report/out.h"

/* The text as a string with its quotes: valid UTF-8 whatever the bytes. A byte that is no part of a character is
 * written as %XX, as CSV does. */
void mm_json_text(mm_out_t *out, const char *text);

/* The same; null where there is nothing: NULL or "". */
void mm_json_text_or_null(mm_out_t *out, const char *text);

#endif
