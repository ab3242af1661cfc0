/* Who a COUNTER report is from. */
#ifndef MM_DSR_NAMES_H
#define MM_DSR_NAMES_H

typedef struct mm_dsr_names {
    const char *platform, *publisher, *created_by;
    const char *publisher_id_type, *publisher_id; /* both or none: grid, grid.5335.0 */
    const char *help;                             /* address of a page on exceptions */
} mm_dsr_names_t;

#endif
