/* The header Accept (RFC 9110 12.5.1). Outside bytes: whatever they are, there is an answer. */
#ifndef MM_ACCEPT_H
#define MM_ACCEPT_H

/* How much a media type is wanted. */
typedef struct mm_accept {
    int quality; /* q in thousandths; 0: not wanted */
    int named;   /* 2: the type itself is named, 1: as one of its kind (text/...), 0: only as all there is */
} mm_accept_t;

/* accept may be NULL or empty: then everything is wanted. The most specific range that holds the type decides, of equal
 * ones the first. Parameters other than q are not looked at: text/csv;header=absent is text/csv. */
mm_accept_t mm_accept_look(const char *accept, const char *media);

#endif
