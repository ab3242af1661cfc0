/* What the files of the window share. */
#ifndef MM_WINDOW_PRIVATE_H
#define MM_WINDOW_PRIVATE_H

#include "count/recent.h"
#include "count/salts.h"
#include "count/window.h"

struct mm_window {
    int64_t width_ms; /* W; 0: there are no double-clicks */
    uint32_t now_s;   /* the latest time of any event */
    mm_recent_t *clicks;
    mm_recent_t *uses;
    mm_salts_t salts;
};

/* Forgets what is too old at window->now_s. */
void mm_window_expire(mm_window_t *window);

#endif
