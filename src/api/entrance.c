/* entrance.c — the API's one door: who comes in, by a token or by a session's cookie. */
#include "api/api.h"

#include "api/identities.h"
#include "api/sessions.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

void api_hear(void *context, const struct change *change)
{
    struct api *api = context;
    if (change->kind == CHANGE_ACCESS || change->kind == CHANGE_EVERYTHING)
        identities_forget_all(api->identities);
}

static void enter_session(struct api *api, struct call *call, const char *token)
{
    bool reads = strcmp(call->method, "GET") == 0 || strcmp(call->method, "HEAD") == 0;
    if (!reads && !session_from_our_page(api, call))
        call_refuse(call, 403, NULL,
                    "A change in a session is made on a page of this server itself.");
    else if (session_may_change(call, token))
        identities_resume(api, call, token);
    else
        call_refuse(call, 403, NULL,
                    "A change in a session needs its CsrfToken in the header X-CSRF-Token.");
}

bool api_has_lease(const struct api *api, struct call *call)
{
    if (membership_valid(api->membership))
        return true;
    call_add_header(call, "Retry-After", "2");
    call_refuse(call, 503, NULL,
                "This server has lost touch with its database; others may still answer.");
    return false;
}

bool api_is_ready(const struct api *api)
{
    return api->ready && store_writable(api->store) && membership_valid(api->membership);
}

void api_enter(struct call *call, void *context)
{
    char *sid, *token, session[TOKEN_TEXT];
    if (!api_has_lease(context, call))
        return;
    if (call_header(call, "Authorization") == NULL && session_cookie(context, call, session)) {
        enter_session(context, call, session);
        sodium_memzero(session, sizeof(session));
        return;
    }
    if (!call_basic(call, &sid, &token)) {
        api_challenge(call);
        call_refuse(call, 401, NULL,
                    "Sign in with HTTP Basic: the account's SID and one of its tokens.");
        return;
    }
    identities_sign_in(context, call, sid, token);
    sodium_memzero(token, strlen(token));
    free(sid);
    free(token);
}
