/* Accept: whatever comes, a quality in range, a format that exists or none, and the same for the same header with
 * blanks around it.
 */

#include "fuzz.h"

#include "route/accept.h"
#include "route/format.h"
#include "route/params.h"

static void check(const char *accept, const char *media)
{
    mm_accept_t found = mm_accept_look(accept, media);

    HOLDS(found.quality >= 0 && found.quality <= 1000 && found.named >= -1 && found.named <= 2);
    HOLDS(found.named >= 0 || found.quality == 0);
    HOLDS(found.named != 2 || strlen(accept) >= strlen(media));
    HOLDS(found.named != 1 || strchr(accept, '*'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *accept = malloc(size + 1), *wider = malloc(size + 4);

    HOLDS(accept && wider);
    memcpy(accept, size ? (const char *)data : "", size);
    accept[size] = '\0';
    size_t len = strlen(accept);
    wider[0] = '\t';
    wider[1] = ' ';
    memcpy(wider + 2, accept, len + 1);

    check(accept, "text/csv");
    check(accept, "application/json");
    const mm_format_info_t *format = mm_format_accepted(MM_PARAMS_REPORT, accept);
    HOLDS(!format || mm_format_info(MM_PARAMS_REPORT, format->format) == format);
    HOLDS(mm_format_accepted(MM_PARAMS_REPORT, wider) == format);
    free(accept);
    free(wider);
    return 0;
}
