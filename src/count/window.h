/* Double-clicks and unique uses: what a click that counts changes, given the clicks before it.
 *
 * Double-clicks (COUNTER Code of Practice: of clicks on the same thing by the same user that follow each other within
 * 30 s the last one counts). The rule used here speaks of single clicks and knows no order of arrival: a click counts
 * if and only if the same user does not click on the same thing again within W behind it. So 0, 20, 40, 60 s is one
 * use, of second 60; 0 and 35 s are two; and events may come in any order, in any batches. Since a click that was
 * counted may turn out to be followed by another one, a use can be taken back: a click is answered with bookings, of
 * which one may be -1, at the time of the earlier click.
 *
 * Unique uses: how many of the user's uses of a thing fall into one hour of the clock is counted; from 0 to 1 is a
 * unique use more, from 1 to 0 is one less.
 *
 * A user is, in this order, the known user, the session, or address and agent. Somebody of whom nothing is known cannot
 * be told from anybody else: each of his clicks counts, and is unique.
 *
 * Nothing of a user is kept but hashes under a secret of the day (salts.h). What is kept is bounded, and forgotten when
 * no event was near it for an hour and W, by the events' own time; when none comes any more, as time
 * goes by. No files
 * here: form.h writes it down. One thread.
 */
#ifndef MM_WINDOW_H
#define MM_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <apr_pools.h>
#include "count/rule.h"
#include "event/event.h"

/* Clicks, and hours in which somebody used something: each 40 MiB at most. For 200 uses a second, all of different
 * people or things, the hour is exact. */
#define MM_WINDOW_CLICKS_MAX (1024 * 1024)
#define MM_WINDOW_USES_MAX   (1024 * 1024)
/* Of the events' time. A unique use needs to know of the hour it is in. */
#define MM_WINDOW_MEMORY_S 3600
/* The time of an event that is farther ahead of the clock is not believed. */
#define MM_WINDOW_AHEAD_S 3600

typedef struct mm_window mm_window_t;

typedef struct mm_window_booking {
    int sign;         /* 1: this use counts; -1: it did, and does not any more */
    int64_t time_ms;  /* of the click */
    mm_class_t class; /* of the click */
    int unique;       /* 1, 0 or -1: what this does to the number of unique views, or downloads */
    int unique_any;   /* the same for unique uses of any kind */
} mm_window_booking_t;

#define MM_WINDOW_BOOKINGS_MAX 2

/* double_click_ms 0: each click counts. */
mm_window_t *mm_window_create(int64_t double_click_ms, apr_pool_t *pool);

/* What the clock says. No event that is far ahead of it moves the time of the window. False: that time is far ahead of
 * the clock itself, which was put back, and so all was forgotten. Without this every event's time is believed. */
bool mm_window_set_clock(mm_window_t *window, int64_t now_us);

/* No event waits, at now_us of a clock that only runs forward: from the first such call behind an event the window's
 * time goes on as that clock does, so that what is too old is forgotten without a later event. */
void mm_window_idle(mm_window_t *window, int64_t now_us);

/* Takes one click that the rules let through. Returns how many bookings it means, none if it is a double-click. */
size_t mm_window_add(mm_window_t *window, const mm_event_t *event, mm_class_t class,
                     mm_window_booking_t bookings[MM_WINDOW_BOOKINGS_MAX]);

/* How many entries were forgotten early, because there were more than the window holds, since it was made. */
int64_t mm_window_forgotten(const mm_window_t *window);

#endif
