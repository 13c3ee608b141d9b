/* decision_row.h — a row of a brand's file: a decision, none yet, or one that is made already. */
#ifndef POSTBACKD_DECISION_ROW_H
#define POSTBACKD_DECISION_ROW_H

#include "api/api.h"

enum decision_row {
    ROW_DECIDES,   /* to be taken, or refused with what is wrong */
    ROW_UNDECIDED, /* as it was downloaded: UNRESOLVED, and nothing filled in */
    ROW_UNCHANGED, /* the inquiry was decided so already */
};

/* The caller is the brand; `fields` are the row's. */
enum decision_row decision_row_kind(struct db *db, const struct caller *caller,
                                    const json_t *fields);

#endif
