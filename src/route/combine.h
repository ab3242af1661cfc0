/* Which parameters go together. Part of the room route. */
#ifndef MM_COMBINE_H
#define MM_COMBINE_H

#include "base/err.h"
#include "route/route.h"

/* 0, or 400 and a sentence. Fills in the order that follows from other parameters. */
int mm_combine_check(mm_route_t *route, mm_err_t *err);

#endif
