/* body.h — what the operator's and the accounts' resources share in reading a request: members of a
 * body beside those of model/fields.h, and lists read under a cursor. */
#ifndef POSTBACKD_BODY_H
#define POSTBACKD_BODY_H

#include "api/api.h"
#include "model/fields.h"

/* True when given and right: a JSON boolean, or "true", "false", "1", "0", "yes", … */
bool body_bool(const struct fields *fields, const char *name, bool *value);
/* A mail address, owned by the caller; NULL: not given or wrong. */
char *body_email(const struct fields *fields, const char *name, const char *meaning);
/* Whether the member is there and empty: it takes a value away. */
bool body_empties(const json_t *body, const char *name);

/* An {Id} of the path; 0 when it is no id (which is nobody's). */
int64_t path_id(const struct call *call, int param);
/* An id of the query; 0: not given.  What can be nobody's, as 0 or more digits than an id has,
 * finds nothing and is no mistake; what is no number is a problem. */
enum { ID_NOBODYS = -1 };
int64_t query_id(const struct call *call, const char *name, struct problems *problems);

/* A list read by id under a cursor: After (rising) or Before (falling), and PageSize. */
struct cursor {
    const char *name; /* "After" or "Before" */
    int64_t at;       /* 0: from the start */
    int limit;
};
void cursor_read(const struct call *call, struct cursor *cursor, const char *name,
                 struct problems *problems);
/* All attributes of a page, and "<name>":[], for the rows that are sent behind it (cursor_rows.h):
 * how many, and the last one's id.  What is not known without counting is "". */
json_t *cursor_answer(const struct call *call, const struct cursor *cursor, const char *name,
                      size_t count, int64_t last);
/* The same, where the next page begins at `next`; 0: there is none. */
json_t *cursor_answer_at(const struct call *call, const struct cursor *cursor, int64_t next,
                         const char *name, size_t count);
/* A list that has no pages: the whole of it, which is stolen. */
json_t *whole_answer(const struct call *call, const char *name, json_t *array);

#endif
