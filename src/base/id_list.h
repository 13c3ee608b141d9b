/* id_list.h — many ids in their order, in little memory: what a long answer is still to be read of.
 *
 * Each is kept as its distance from the one before, so a list of neighbours takes a byte or two an
 * id.  Written once, then read once.
 */
#ifndef POSTBACKD_ID_LIST_H
#define POSTBACKD_ID_LIST_H

#include "base/buf.h"

struct id_list { /* all zeroes is empty */
    struct buf bytes;
    size_t count, at; /* ids in it; the byte that is read next */
    int64_t last;     /* that was added; then, that was read */
    bool reads;
};

void id_list_add(struct id_list *list, int64_t id);
bool id_list_next(struct id_list *list, int64_t *id); /* false: no more */
void id_list_free(struct id_list *list);

#endif
