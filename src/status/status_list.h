/* All that is counted: the one list from which the page, JSON and OpenMetrics are made. Pages outlive versions of this
 * program, so a value keeps its place in its list: new ones are added at the end.
 */
#ifndef MM_STATUS_LIST_H
#define MM_STATUS_LIST_H

/* X(symbol, family, label, the label's value): a value of the page, and where it is shown. */
#define MM_STATUS_VALUES(X)                                                                                            \
    X(SEEN_REQUEST, events_seen, "source", "request")                                                                  \
    X(SEEN_REPORTED, events_seen, "source", "reported")                                                                \
    X(RECORDED, events_recorded, NULL, NULL)                                                                           \
    X(LEFT_OUT, events_left_out, NULL, NULL)                                                                           \
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
    X(EMPTIED_US, spool_emptied, NULL, NULL)                                                                           \
    X(LAST_BATCH_US, last_batch, NULL, NULL)                                                                           \
    X(LAST_BATCH_TOOK_US, last_batch_duration, NULL, NULL)

#endif
