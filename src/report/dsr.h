/* The Dataset Master Report (DSR) of COUNTER's Code of Practice for Research Data: two writers (writer.h), JSON and the
 * tabular form, for rows that are datasets and their uses in a month.
 *
 * Which rows there are is the route's business, as for any report; mm_dsr_route adds the columns that the writers need.
 * A zero is never written, and a dataset of which nothing is left then is not either.
 */
#ifndef MM_DSR_H
#define MM_DSR_H

#include "report/dsr_names.h"
#include "report/out.h"
#include "report/writer.h"
#include "route/route.h"
#include "route/sushi.h"

/* What sushi asks for, of type or, where that is NULL, of all types of the report. */
void mm_dsr_route(mm_route_t *route, const mm_sushi_t *sushi, const char *type);

/* The writer of a format, JSON or TSV. Of the names only the publisher's id and help may be NULL. Before the first row,
 * and so before it is known that there is none, nothing goes to the sink: what was exceptional stands at the top. names
 * and sushi must live as long as the writer, which may add to sushi's exceptions. */
mm_writer_t *mm_dsr_writer(const mm_dsr_names_t *names, mm_sushi_t *sushi, mm_format_t format, mm_sink_fn sink,
                           void *baton, apr_pool_t *pool);

/* Exceptions as JSON, an array; each with help where that is not NULL. */
void mm_dsr_put_exceptions(mm_out_t *out, const apr_array_header_t *exceptions, const char *help);

#endif
