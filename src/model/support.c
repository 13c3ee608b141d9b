/* support.c — a support request: its fields, its states, how each side sees it.
 *
 * The rule that must never break: only support_show() gives the words of a request out.
 */
#include "model/support.h"

#include "model/fields.h"
#include "model/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {
    [SUPPORT_CUSTOM_HEADER] = "CUSTOM_HEADER",
    [SUPPORT_DATA_POINT] = "DATA_POINT",
    [SUPPORT_DELAY] = "DELAY",
    [SUPPORT_OTHER] = "OTHER",
};
static const char *const states[] = {
    [SUPPORT_OPEN] = "OPEN",
    [SUPPORT_ANSWERED] = "ANSWERED",
    [SUPPORT_CLOSED] = "CLOSED",
};
enum {
    KINDS = sizeof(kinds) / sizeof(kinds[0]),
    STATES = sizeof(states) / sizeof(states[0]),
    WORD_MAX = 30,
};

const char *support_kind_words(enum support_kind kind)
{
    static const char *const words[] = {
        [SUPPORT_CUSTOM_HEADER] = "a custom header",
        [SUPPORT_DATA_POINT] = "a data point",
        [SUPPORT_DELAY] = "late postbacks",
        [SUPPORT_OTHER] = "something else",
    };
    return kind >= SUPPORT_CUSTOM_HEADER && kind <= SUPPORT_OTHER ? words[kind] : "";
}

const char *support_kind_name(enum support_kind kind)
{
    return kind >= SUPPORT_CUSTOM_HEADER && kind <= SUPPORT_OTHER ? kinds[kind] : "";
}

const char *support_state_name(enum support_state state)
{
    return state >= SUPPORT_OPEN && state <= SUPPORT_CLOSED ? states[state] : "";
}

/* The number of a name in a table that begins at 1; 0: unknown. */
static int named(const char *const *names, int count, const char *name)
{
    for (int i = 1; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return 0;
}

bool support_state_named(const char *name, enum support_state *state)
{
    int found = named(states, STATES, name);

    if (found != 0)
        *state = (enum support_state)found;
    return found != 0;
}

/* ---- reading ---- */

void support_read(struct support_request *request, char **text, const json_t *from,
                  struct problems *problems)
{
    static const char *const names[] = { "Kind", "NotificationId", "Subject", "Text", NULL };
    static const char choices[] = "CUSTOM_HEADER, DATA_POINT, DELAY or OTHER";
    const struct fields fields = { .from = from, .problems = problems };
    char *kind = fields_text(&fields, "Kind", WORD_MAX, 0, choices);

    fields_only(&fields, names);
    if (kind != NULL) {
        request->kind = (enum support_kind)named(kinds, KINDS, kind);
        if (request->kind == 0)
            problems_add(problems, "Kind", "must be %s", choices);
    }
    free(kind);
    request->notification = fields_id(&fields, "NotificationId", NULL);
    request->subject = fields_text(&fields, "Subject", SUPPORT_SUBJECT_MAX, FIELD_NAME,
                                   "what it is about, in one line");
    *text = fields_text(&fields, "Text", SUPPORT_TEXT_MAX, FIELD_LINES, "what you ask for");
}

char *support_message_read(enum support_state *state, bool from_operator, const json_t *from,
                           struct problems *problems)
{
    static const char *const names[] = { "Text", "State", NULL };
    static const char *const accounts_names[] = { "Text", NULL };
    const struct fields fields = { .from = from, .problems = problems };
    char *word = from_operator ? fields_text(&fields, "State", WORD_MAX, 0, NULL) : NULL;

    fields_only(&fields, from_operator ? names : accounts_names);
    *state = from_operator ? SUPPORT_ANSWERED : SUPPORT_OPEN;
    if (word != NULL && !support_state_named(word, state))
        problems_add(problems, "State", "must be OPEN, ANSWERED or CLOSED");
    free(word);
    return fields_text(&fields, "Text", SUPPORT_TEXT_MAX, FIELD_LINES, "the message");
}

/* ---- the thread ---- */

bool support_step(struct support_request *request, enum support_state state, int64_t now_ms,
                  struct error *error)
{
    if (request->message_count >= SUPPORT_MESSAGES_MOST) {
        error_set(error, ERROR_CONFLICT,
                  "The support request has %d messages, which is the most there may be: make a "
                  "new one.",
                  SUPPORT_MESSAGES_MOST);
        return false;
    }
    if (state == SUPPORT_OPEN && request->state != SUPPORT_OPEN)
        request->asked_at = now_ms;
    request->state = state;
    request->changed_at = now_ms;
    request->message_count++;
    return true;
}

/* ---- showing ---- */

static json_t *messages_show(const struct support_request *request, bool for_operator)
{
    json_t *list = json_array();

    for (int64_t i = 0; i < request->message_count; i++) {
        const struct support_message *message = &request->messages[i];
        bool unnamed = message->from_operator && !for_operator;
        json_t *shown = json_object();
        show_text(shown, "From", message->from_operator ? "OPERATOR" : "ACCOUNT");
        show_text(shown, "Author", unnamed ? "Support" : message->author);
        show_text(shown, "Text", message->text);
        show_date(shown, "Date", message->at);
        json_array_append_new(list, shown);
    }
    return list;
}

json_t *support_show(const struct support_request *request, bool for_operator)
{
    json_t *shown = json_object();

    show_int(shown, "Id", request->id);
    show_text(shown, "Kind", support_kind_name(request->kind));
    show_text(shown, "State", support_state_name(request->state));
    show_text(shown, "Subject", request->subject);
    show_id(shown, "NotificationId", request->notification);
    if (for_operator) {
        show_text(shown, "AccountSid", request->account_sid);
        show_text(shown, "AccountName", request->account_name);
    }
    show_int(shown, "MessageCount", request->message_count);
    show_date(shown, "WaitingSinceDate",
              request->state == SUPPORT_OPEN ? request->asked_at : DATE_NONE);
    show_date(shown, "CreationDate", request->created_at);
    show_date(shown, "ModifiedDate", request->changed_at);
    if (request->messages != NULL)
        json_object_set_new(shown, "Messages", messages_show(request, for_operator));
    return shown;
}

void support_free(struct support_request *request)
{
    for (int64_t i = 0; request->messages != NULL && i < request->message_count; i++) {
        free(request->messages[i].author);
        free(request->messages[i].text);
    }
    free(request->messages);
    free(request->account_sid);
    free(request->account_name);
    free(request->subject);
    *request = (struct support_request){ 0 };
}
