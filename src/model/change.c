/* change.c — changes as a text that nodes of this release and of its neighbours read.
 *
 * A kind has a letter that never changes its meaning and is never used again.  A later release may
 * add letters, and numbers behind those there are; older ones pass over both.
 */
#include "model/change.h"

#include "base/fail.h"

static const char version[] = "1";

static const struct {
    char letter;
    bool relied_on;
} kinds[] = {
    [CHANGE_ACCOUNT] = { 'a', false },     [CHANGE_ACCESS] = { 'x', false },
    [CHANGE_NOTIFICATION] = { 'n', true }, [CHANGE_WAITING] = { 'w', false },
    [CHANGE_RETRIED] = { 'r', false },     [CHANGE_RESENT] = { 's', false },
    [CHANGE_CANCELLED] = { 'c', false },   [CHANGE_LANE_DOWN] = { 'd', false },
    [CHANGE_LANE_READY] = { 'u', false },  [CHANGE_REPLAY] = { 'p', false },
    [CHANGE_MAINTENANCE] = { 'm', false }, [CHANGE_LETTER] = { 'l', false },
    [CHANGE_ERRAND] = { 'j', false },      [CHANGE_EPISODE] = { 'o', false },
    [CHANGE_EVENT_TYPE] = { 'e', true },   [CHANGE_FAN_OUT] = { 'f', true },
    [CHANGE_TOUCHED] = { 't', false },     [CHANGE_NODES] = { 'g', false },
    [CHANGE_EVERYTHING] = { 'z', true },
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == CHANGE_KINDS, "the last kind has a letter");
_Static_assert(CHANGE_KINDS == 19, "a new kind has a letter in this table");

bool change_is_relied_on(enum change_kind kind)
{
    return kinds[kind].relied_on;
}

enum { NUMBERS = 4 };

static void change_write(struct buf *out, const struct change *change)
{
    const int64_t numbers[NUMBERS] = { change->account, change->notification, change->id,
                                       change->due_at };
    int count = NUMBERS;
    if (kinds[change->kind].letter == '\0')
        bug("a change of kind %d has no letter", (int)change->kind);
    while (count > 0 && numbers[count - 1] == 0)
        count--;
    buf_char(out, ' ');
    buf_char(out, kinds[change->kind].letter);
    for (int i = 0; i < count; i++) {
        if (i > 0)
            buf_char(out, ',');
        buf_int(out, numbers[i]);
    }
}

void changes_write(struct buf *out, const struct change *changes, size_t count)
{
    buf_str(out, version);
    for (size_t i = 0; i < count; i++)
        change_write(out, &changes[i]);
}

/* ---- reading ---- */

struct text {
    const char *at, *end;
};

/* A number that does not fit becomes another one, which names nothing. */
static int64_t read_number(struct text *text)
{
    bool minus = text->at < text->end && *text->at == '-';
    uint64_t value = 0;
    for (text->at += minus; text->at < text->end && *text->at >= '0' && *text->at <= '9';)
        value = value * 10 + (uint64_t)(*text->at++ - '0');
    return (int64_t)(minus ? 0 - value : value);
}

static void pass_over_word(struct text *text)
{
    while (text->at < text->end && *text->at != ' ')
        text->at++;
}

/* Behind the letter, up to the next blank. */
static void read_numbers(struct text *text, int64_t numbers[NUMBERS])
{
    for (int i = 0; i < NUMBERS; i++) {
        numbers[i] = read_number(text);
        if (text->at == text->end || *text->at != ',')
            break;
        text->at++;
    }
    pass_over_word(text);
}

static int kind_of(char letter)
{
    for (int kind = 0; kind < CHANGE_KINDS; kind++) {
        if (kinds[kind].letter == letter)
            return kind;
    }
    return -1;
}

void changes_read(const char *text, size_t len, int from,
                  void (*take)(void *context, const struct change *change), void *context)
{
    struct text rest = { text, text + len };
    bool known = len > 0 && text[0] == version[0] && (len == 1 || text[1] == ' ');
    if (!known) {
        take(context, &(struct change){ .kind = CHANGE_EVERYTHING, .from = from });
        return;
    }
    for (rest.at++; rest.at < rest.end;) {
        int64_t numbers[NUMBERS] = { 0 };
        if (*rest.at == ' ') {
            rest.at++;
            continue;
        }
        int kind = kind_of(*rest.at++);
        read_numbers(&rest, numbers);
        if (kind == -1)
            continue;
        take(context, &(struct change){ .kind = (enum change_kind)kind,
                                        .account = numbers[0],
                                        .notification = numbers[1],
                                        .id = numbers[2],
                                        .due_at = numbers[3],
                                        .from = from });
    }
}
