/* All that is counted: the one list from which the page, JSON, OpenMetrics and the text for people are made. Pages
 * outlive versions of this program, so a value keeps its place: new ones are added at the end.
 */
#ifndef MM_STATUS_LIST_H
#define MM_STATUS_LIST_H

/* X(family, kind, unit, help): what is shown under one name. A unit is the end of the name. The kinds are in
 * status_show.c. */
#define MM_STATUS_FAMILIES(X)                                                                                          \
    X(events_seen, COUNTER, NULL, "Requests that match a rule, and uses told by POST or by other modules.")            \
    X(events_recorded, COUNTER, NULL,                                                                                  \
      "Of these, those that are in the spool: requests, and what POST or other modules told.")                         \
    X(events_dropped, COUNTER, NULL, "Of these, those that were lost (a POST was refused), by cause.")                 \
    X(events_read, COUNTER, NULL, "Events that the drainer read from the spool.")                                      \
    X(events_counted, COUNTER, NULL, "Of these, those that were counted.")                                             \
    X(events_ignored, COUNTER, NULL, "Events that do not count; directive: by MetricsIgnore, and not in the spool.")   \
    X(events_unreadable, COUNTER, NULL, "Damaged events, set aside in the spool.")                                     \
    X(batches, COUNTER, NULL, "Batches that are in the database.")                                                     \
    X(documents, COUNTER, NULL, "Updates of documents that the database took, or refused for good.")                   \
    X(database_errors, COUNTER, NULL, "Failed uses of the database by the drainer; they are tried again.")             \
    X(reports_failed, COUNTER, NULL, "Reports that ended with 503.")                                                   \
    X(drainer_starts, COUNTER, NULL, "Drainers that began.")                                                           \
    X(drainer_restarts, COUNTER, NULL, "Of these, those that took the place of one that had died.")                    \
    X(drainer_running, SWITCH, NULL, "Whether a drainer holds the spool.")                                             \
    X(spool_bytes, GAUGE, "bytes", "Bytes of events that wait in the spool.")                                          \
    X(spool_oldest_seconds, SECONDS, "seconds", "The oldest event that waits is at most so old.")                      \
    X(spool_emptied_timestamp_seconds, TIME, "seconds", "What came before this time is counted.")                      \
    X(last_batch_timestamp_seconds, TIME, "seconds", "When a batch was last in the database.")                         \
    X(last_batch_duration_seconds, SECONDS, "seconds", "How long that took, from its first event read.")               \
    X(visits_with_credentials, COUNTER, NULL,                                                                          \
      "Visits with a session or a key of the application: of a user, of nobody known, or not to be told.")             \
    X(keys_unread, COUNTER, NULL, "Uses told by a key that the application's collections could not be asked for.")     \
    X(counters_since_timestamp_seconds, TIME, "seconds", "When the counters were 0.")                                  \
    X(window_forgotten, COUNTER, NULL,                                                                                 \
      "Clicks and hours that the drainer forgot early because there were too many at once.")                           \
    X(catalog_gaps, COUNTER, NULL,                                                                                     \
      "Rows of reports with an empty or cut cell because of what the catalogue's documents hold.")                     \
    X(counters_cut, COUNTER, NULL,                                                                                     \
      "Rows of reports with a number that is cut, because a document of the counts holds more.")

/* X(symbol, family, label, the label's value): a value of the page, and where it is shown. */
#define MM_STATUS_VALUES(X)                                                                                            \
    X(RECORDED_REQUEST, events_recorded, "source", "request")                                                          \
    X(RECORDED_REPORTED, events_recorded, "source", "reported")                                                        \
    X(REPORTS_FAILED, reports_failed, NULL, NULL)                                                                      \
    X(LEFT_OUT, events_ignored, "reason", "directive")                                                                 \
    X(DROPPED_FULL, events_dropped, "cause", "full")                                                                   \
    X(DROPPED_NO_ROOM, events_dropped, "cause", "no_room")                                                             \
    X(DROPPED_ERROR, events_dropped, "cause", "error")                                                                 \
    X(DROPPED_INVALID, events_dropped, "cause", "invalid")                                                             \
    X(READ, events_read, NULL, NULL)                                                                                   \
    X(UNREADABLE, events_unreadable, NULL, NULL)                                                                       \
    X(BATCHES, batches, NULL, NULL)                                                                                    \
    X(WRITTEN, documents, "outcome", "written")                                                                        \
    X(REJECTED, documents, "outcome", "rejected")                                                                      \
    X(DATABASE_ERRORS, database_errors, NULL, NULL)                                                                    \
    X(DRAINER_STARTS, drainer_starts, NULL, NULL)                                                                      \
    X(DRAINER_RESTARTS, drainer_restarts, NULL, NULL)                                                                  \
    X(SPOOL_BYTES, spool_bytes, NULL, NULL)                                                                            \
    X(EMPTIED_US, spool_emptied_timestamp_seconds, NULL, NULL)                                                         \
    X(LAST_BATCH_US, last_batch_timestamp_seconds, NULL, NULL)                                                         \
    X(LAST_BATCH_TOOK_US, last_batch_duration_seconds, NULL, NULL)                                                     \
    X(VISITORS_KNOWN, visits_with_credentials, "visitor", "user")                                                      \
    X(VISITORS_NOBODY, visits_with_credentials, "visitor", "nobody")                                                   \
    X(VISITORS_FAILED, visits_with_credentials, "visitor", "failed")                                                   \
    X(KEYS_FAILED, keys_unread, NULL, NULL)                                                                            \
    X(WINDOW_FORGOTTEN, window_forgotten, NULL, NULL)                                                                  \
    X(CATALOG_MISSING, catalog_gaps, "cause", "missing")                                                               \
    X(CATALOG_TYPE, catalog_gaps, "cause", "wrong_type")                                                               \
    X(CATALOG_LONG, catalog_gaps, "cause", "too_long")                                                                 \
    X(CATALOG_WORK, catalog_gaps, "cause", "too_much_work")                                                            \
    X(CATALOG_CYCLE, catalog_gaps, "cause", "cycle")                                                                   \
    X(COUNTERS_CUT, counters_cut, NULL, NULL)

#endif
