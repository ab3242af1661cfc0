/* Two calls at the same time. Part of the room report.
 */
#ifndef MM_BOTH_H
#define MM_BOTH_H

/* Calls fn with each of two batons, and returns when both calls have: the first on this thread, the second on a thread
 * that is made for it; where none can be made, on this one behind the first. The two must share nothing that either
 * changes, no pool and no connection. Until it returns, signals to this thread wait. */
void mm_both(void (*fn)(void *baton), void *here, void *there);

#endif
