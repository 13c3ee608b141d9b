/* action_rows.h — a row of a brand's file of changes: its columns, and how it is taken. */
#ifndef POSTBACKD_ACTION_ROWS_H
#define POSTBACKD_ACTION_ROWS_H

#include "api/action_changes.h"
#include "model/csv.h"

size_t action_rows_columns(struct csv_column out[CSV_COLUMNS_MAX]);
/* Takes the row's change.  *changed: false, all is so already and nothing was written.  Otherwise
 * as action_change_take(). */
bool action_row_take(struct job *job, struct db *db, const struct call *call, const json_t *row,
                     struct problems *problems, int64_t *id, bool *changed);

#endif
