/* Small questions about text that several rooms ask. */
#ifndef MM_TEXT_H
#define MM_TEXT_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). */
bool mm_text_is_utf8(const char *text, size_t len);

/* How many bytes the character has with which the text begins, 1 to 4; 0 where these are no UTF-8, and at the end. */
size_t mm_text_character(const char *text);

/* Whether name can name a resource type: 1 to 32 of a-z, 0-9 and _, beginning with a letter. Such a name is safe as
 * part of a collection name and of a path. */
bool mm_text_is_type_name(const char *name, size_t len);

/* A number of bytes, as 1048576, 1024K, 64M or 4G (the letters in either case, powers of 1024). False for anything
 * else, and for what 63 bits do not hold. */
bool mm_text_size(int64_t *bytes, const char *text);

#endif
