/* csv_local.c — see csv_local.h.  Only the form is looked at; whether it is a right amount or a day
 * that exists is for the field's own check. */
#include "model/csv_local.h"

#include <string.h>

static size_t digits(const char *at)
{
    return strspn(at, "0123456789");
}

/* Bytes of what groups thousands here: a point, a space, a no-break space, a narrow one; 0: none.
 */
static size_t group_length(const char *at)
{
    static const char *const groups[] = { ".", " ", "\xc2\xa0", "\xe2\x80\xaf", "'" };
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        if (strncmp(at, groups[i], strlen(groups[i])) == 0)
            return strlen(groups[i]);
    return 0;
}

bool csv_local_amount(const char *cell, bool thousands, struct buf *out)
{
    struct buf amount = { .limit = 80 };
    const char *at = cell;
    if (*at == '-' || *at == '+')
        buf_add(&amount, at, *at == '-'), at++;
    size_t len = digits(at), group;
    bool right = len > 0;
    buf_add(&amount, at, len);
    bool grouped = len <= 3;
    for (at += len; right && (group = group_length(at)) > 0; at += group + 3) {
        right = grouped && digits(at + group) == 3;
        buf_add(&amount, at + group, right ? 3 : 0);
        if (!right)
            break;
    }
    size_t decimals = *at == ',' ? digits(at + 1) : 0;
    right = right && decimals > 0 && at[1 + decimals] == '\0' && !(thousands && decimals == 3);
    buf_char(&amount, '.');
    buf_add(&amount, right ? at + 1 : "", decimals * right);
    if (right && !amount.failed)
        buf_add(out, amount.data, amount.len);
    right = right && !amount.failed;
    buf_free(&amount);
    return right;
}

/* One or two digits at *at, as two, and the byte behind them. */
static bool pair(const char **at, char behind, char out[2])
{
    size_t len = digits(*at);
    if (len < 1 || len > 2 || (*at)[len] != behind)
        return false;
    out[0] = len == 2 ? (*at)[0] : '0';
    out[1] = (*at)[len - 1];
    *at += len + (behind != '\0');
    return true;
}

bool csv_local_date(const char *cell, struct buf *out)
{
    char day[2], month[2], hour[2], minute[2], second[2];
    const char *at = cell;
    if (!pair(&at, '.', day) || !pair(&at, '.', month) || digits(at) != 4)
        return false;
    const char *year = at;
    at += 4;
    bool timed = *at == ' ';
    at += timed;
    if (timed && !pair(&at, ':', hour))
        return false;
    bool seconds = timed && digits(at) == 2 && at[2] == ':';
    if (timed && !pair(&at, seconds ? ':' : '\0', minute))
        return false;
    if (seconds && !pair(&at, '\0', second))
        return false;
    if (*at != '\0')
        return false;
    buf_fmt(out, "%.4s-%.2s-%.2s", year, month, day);
    if (timed)
        buf_fmt(out, "T%.2s:%.2s", hour, minute);
    if (seconds)
        buf_fmt(out, ":%.2s", second);
    return true;
}
