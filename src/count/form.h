/* The byte form of a window: what a drainer writes down of it, and reads when it begins.
 *
 * Chunks, all integers little-endian: u8 kind, then
 *   head   u32 version (1) | u32 W, ms                                             once, first
 *   clock  u32 seconds                   first of what belongs to one batch; if it goes back, nothing before it holds
 *   salts  (i64 day | u32 touched | 16 bytes) …
 *   clicks (u64 key | u32 touched | u16 earliest | u16 latest | u8 class) …        17 bytes each
 *   uses   (u64 key | u32 touched | u32 views | u32 downloads) …                   20 bytes each
 * A later chunk holds over an earlier one. Entries stand in the order of their touches, so a window that is filled from
 * chunks forgets the same as the one that they were written from.
 */
#ifndef MM_FORM_H
#define MM_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "count/window.h"

#define MM_FORM_CHUNK_MAX (32 * 1024)

typedef void mm_form_sink_t(void *baton, const uint8_t *chunk, size_t len);

/* Whether anything was touched since the last settle. */
bool mm_form_is_fresh(const mm_window_t *window);

/* Whether what is written down holds a secret that the window has thrown away, so that all should be written anew. */
bool mm_form_is_stale(const mm_window_t *window);

/* Bytes of the whole window, at most. */
int64_t mm_form_size(const mm_window_t *window);

/* Hands out what was touched since the last settle, or all of it with its head. */
void mm_form_put(const mm_window_t *window, bool all, mm_form_sink_t *sink, void *baton);

/* What was put is on the disk; all: and nothing else is. */
void mm_form_settle(mm_window_t *window, bool all);

/* Takes in one chunk. APR_EINVAL and a sentence: it is none. Clicks that were written for another W are passed over:
 * *other_width says so. */
apr_status_t mm_form_take(mm_window_t *window, const uint8_t *chunk, size_t len, bool *other_width, mm_err_t *err);

/* Forgets everything. */
void mm_form_clear(mm_window_t *window);

#endif
