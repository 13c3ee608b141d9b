/* cursor_rows.h — a list that is read under a cursor (body.h), sent in pieces (rows.h). */
#ifndef POSTBACKD_CURSOR_ROWS_H
#define POSTBACKD_CURSOR_ROWS_H

#include "api/body.h"

/* Answers with what work->run() finds: an array in work->shown, of at most cursor->limit objects
 * with an Id, behind cursor->at.  run() is called more than once, with other values in the cursor,
 * which is the work's own.  The problems of the work are answered, if there are any.  Frees the
 * work. */
void cursor_rows_answer(struct api_job *work, struct cursor *cursor, const char *name);
/* The same with another body: `finish` gives it, with the empty array as its last member. */
void cursor_rows_answer_in(struct api_job *work, struct cursor *cursor, const char *name,
                           json_t *(*finish)(struct api_job *work, json_t *answer));

#endif
