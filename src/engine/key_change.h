/* key_change.h — this server takes its part in a change of the key (store/key_change.h): it does
 * what the rows ask, tells the others what it has, and, on duty, seals anew.
 *
 * Alone it looks at the start, when it is asked to, and while there is something to do; of several
 * each looks every few seconds, as the key's file may be changed at any time.
 */
#ifndef POSTBACKD_ENGINE_KEY_CHANGE_H
#define POSTBACKD_ENGINE_KEY_CHANGE_H

#include "engine/work.h"

struct key_changer;

struct key_changer *key_changer_new(struct work *work);
void key_changer_free(struct key_changer *changer); /* NULL is allowed */
void key_changer_look(struct key_changer *changer); /* soon: a change has begun */

#endif
