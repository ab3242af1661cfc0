/* What the files of the window share. */
#ifndef MM_WINDOW_PRIVATE_H
#define MM_WINDOW_PRIVATE_H

#include "count/recent.h"
#include "count/salts.h"
#include "count/window.h"

struct mm_window {
    int64_t width_ms; /* W; 0: there are no double-clicks */
    uint32_t now_s;   /* the latest time of any event, up to limit_s */
    uint32_t limit_s;
    int64_t idle_since_us; /* 0: it is not idle */
    uint32_t idle_from_s;  /* now_s at that time */
    mm_recent_t *clicks;
    mm_recent_t *uses;
    mm_salts_t salts;
};

/* Forgets what is too old at window->now_s. */
void mm_window_expire(mm_window_t *window);

/* Forgets everything, and that time; what was written down is out of date. */
void mm_window_begin_anew(mm_window_t *window);

#endif
