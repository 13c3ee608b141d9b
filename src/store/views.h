/* views.h — saved views on disk.  Every function names the account and the person it acts for: one
 * sees the account's shared ones and one's own. */
#ifndef POSTBACKD_VIEWS_H
#define POSTBACKD_VIEWS_H

#include "db/store.h"
#include "model/account.h"
#include "model/view.h"

struct view {
    int64_t id;
    bool shared;
    enum view_page page;
    const char *name;
    const json_t *settings; /* view_settings_read(); borrowed */
};

/* The API's objects in order of id, of one page (0: of all). */
json_t *view_list(struct db *db, const struct caller *caller, enum view_page page);
json_t *view_show(struct db *db, const struct caller *caller, int64_t id); /* NULL: not there */
/* Sets its id.  False: ERROR_CONFLICT, there are as many as there may be. */
bool view_add(struct job *job, struct db *db, const struct caller *caller, struct view *view);
/* Name (NULL: as it was) and settings. */
void view_put(struct db *db, const struct view *view);
bool view_delete(struct db *db, const struct caller *caller, int64_t id); /* false: not there */

#endif
