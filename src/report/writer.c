/* From a format to its writer. */
#include "report/writer.h"

mm_writer_t *mm_writer_make(const mm_route_t *route, mm_format_t format, const mm_temp_t *temp, mm_sink_fn sink,
                            void *baton, apr_pool_t *pool)
{
    switch (format) {
    case MM_FORMAT_JSON:
        return mm_writer_json(sink, baton, 0, pool);
    case MM_FORMAT_NDJSON:
        return mm_writer_json(sink, baton, 1, pool);
    case MM_FORMAT_TSV:
        return mm_writer_csv(sink, baton, '\t', route->raw, route->bom, pool);
    case MM_FORMAT_XLSX:
        return mm_writer_xlsx(sink, baton, temp, 0, pool);
    default:
        return mm_writer_csv(sink, baton, ',', route->raw, route->bom, pool);
    }
}
