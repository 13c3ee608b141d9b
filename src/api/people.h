/* people.h — the handlers of an account's people: the operator's of any account, and an ADMIN's of
 * the own; people.c has their routes. */
#ifndef POSTBACKD_PEOPLE_H
#define POSTBACKD_PEOPLE_H

#include "api/api.h"

/* invitations.c */
void people_list_invitations(struct call *call, void *context);
void people_invite(struct call *call, void *context);
void people_invite_again(struct call *call, void *context);
void people_take_back_invitation(struct call *call, void *context);
/* Another password for a user: the link that a forgotten one gets. */
void people_link_password(struct call *call, void *context);

/* profile.c */
void people_list_sessions(struct call *call, void *context);
void people_end_session(struct call *call, void *context);

#endif
