/* sessions.h — users' sessions: signing in with a browser, and the cookie in place of HTTP Basic.
 *
 * Its three rules: the cookie is for this server alone (HttpOnly, SameSite=Strict), a call that
 * changes something has the session's X-CSRF-Token too, and signing in is done from our own page.
 */
#ifndef POSTBACKD_SESSIONS_API_H
#define POSTBACKD_SESSIONS_API_H

#include "api/api.h"
#include "store/sessions.h"

/* The session's token in the call's cookie; false: there is none. */
bool session_cookie(const struct api *api, const struct call *call, char token[TOKEN_TEXT]);
/* Whether the call is made in a session, whose token it gives.  False: answered. */
bool session_needed(const struct api *api, struct call *call, char token[TOKEN_TEXT]);
/* The browser as it names itself; what is no printable ASCII in that is left out. */
void session_agent(char out[SESSION_AGENT_TEXT], const struct call *call);
/* Whether the call only reads, or has the X-CSRF-Token that goes with the token. */
bool session_may_change(const struct call *call, const char *token);

/* The cookie of a session that was begun ("": takes it away), and the answer that shows it: the
 * object of session_show(), which is stolen. */
void session_cookie_set(const struct api *api, struct call *call, const char *token);
void session_answer(struct call *call, const char *token, json_t *shown);

/* Another site must not sign anybody in here (its visitor would then work in a stranger's account),
 * nor change anything: whether the call is from a page of this server, and, when the address of
 * that is known, from there, or is no browser's. */
bool session_from_our_page(const struct api *api, const struct call *call);

/* Takes the address at which people reach the pages (NULL: not known): with https the cookie is
 * Secure.  False with *error when it is none. */
bool sessions_public_url(struct api *api, const char *url, struct error *error);

#endif
