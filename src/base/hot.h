/* Where code lies, for what runs once for each request of a busy server.
 *
 * Between two requests httpd and the kernel send some 40 KB through the processor's caches, so a path of 100 lines of
 * code is fetched anew each time. Functions that are marked lie side by side, in few pages, and the processor fetches
 * them in one go; what only errors need lies elsewhere (mm_err_set is marked cold).
 */
#ifndef MM_HOT_H
#define MM_HOT_H

#define MM_HOT __attribute__((hot))

#endif
