/* error.h — an expected failure on its way to whoever asked.
 *
 * The kind says what the caller can do about it; the message is a sentence for a person: what is
 * wrong, where, and what would be right.  No secret ever goes into a message.
 */
#ifndef POSTBACKD_ERROR_H
#define POSTBACKD_ERROR_H

enum error_kind {
    ERROR_NONE = 0,
    ERROR_INVALID,     /* 400: the request is wrong */
    ERROR_FORBIDDEN,   /* 403 */
    ERROR_NOT_FOUND,   /* 404: also for what belongs to another account */
    ERROR_CONFLICT,    /* 409: right in itself, not in this state */
    ERROR_TOO_MANY,    /* 429: of one account; try again later */
    ERROR_UNAVAILABLE, /* 503: try again later (disk full, over capacity) */
    ERROR_QUOTA,       /* 503: an account's room is used up; try again in a while */
    ERROR_BROKEN,      /* 500: the store is damaged or the program is wrong */
    ERROR_DAMAGED,     /* 500: what it needs of the store is damaged, and said already */
};

struct error {
    enum error_kind kind;
    char message[512];
    char link[128]; /* a URI that helps (the first inquiry of a duplicate), or "" */
};

/* Sets kind and message; the first failure is kept, later ones are ignored.  NULL is allowed. */
void error_set(struct error *error, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
