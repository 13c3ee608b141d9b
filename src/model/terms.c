/* terms.c — the arithmetic of terms: exact sums, and days of the calendar.
 *
 * A percentage is kept as a whole number of ten-thousandths of a percent, so that a payout is one
 * multiplication and one division of integers.  The rule that must never break: a sum is rounded
 * once, half up, at the end.
 *
 * Locking counts from a moment: the event's, or the end of its month.  So many days later it locks,
 * or on the next day of the month that was asked for; a month that lacks that day locks on its
 * last.
 */
#include "model/terms.h"

#include "base/fail.h"
#include "base/text.h"
#include "model/date.h"
#include "model/fields.h"
#include "model/money.h"
#include "model/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PERCENT_TEXT = 40 };
static const int64_t MOST = INT64_MAX / 4; /* of a share: beyond any amount that is taken */

/* ---- sums ---- */

int64_t terms_share(int64_t sum, int64_t part, int64_t whole)
{
    if (sum <= 0 || whole <= 0)
        return sum;
    if (part <= 0)
        return 0;
    /* A product of two amounts is wider than 64 bits. */
    __extension__ unsigned __int128 twice = (uint64_t)sum;
    twice = (twice * (uint64_t)part * 2 + (uint64_t)whole) / 2 / (uint64_t)whole;
    return twice < (uint64_t)MOST ? (int64_t)twice : MOST;
}

int64_t terms_payout(enum payout_kind kind, int64_t payout, int64_t amount)
{
    if (kind == PAYOUT_FIXED)
        return payout;
    if (kind != PAYOUT_PERCENT || amount == MONEY_NONE || amount <= 0 || payout == 0)
        return 0;
    return terms_share(amount, payout, TERMS_PERCENT_MOST);
}

int64_t terms_rate(const struct terms *terms, const char *currency)
{
    bool foreign = strcmp(terms->currency, currency) != 0;
    return terms->payout_kind == PAYOUT_FIXED && foreign ? 0 : terms->payout;
}

/* ---- days ---- */

/* The first `day` of a month, or a month's last where it lacks it, at or after `at`. */
static int64_t next_day_of_month(int64_t at, int day)
{
    for (;;) {
        int64_t end = date_end_of_month(at), start;
        if (end == DATE_NONE)
            return DATE_NONE;
        start = date_start_of_month(at);
        int64_t found = date_add_days(start, day - 1);
        if (found >= end)
            found = date_add_days(end, -1);
        if (found >= at)
            return found;
        at = end;
    }
}

int64_t terms_locking_at(const struct terms *terms, int64_t event_at)
{
    int64_t at = event_at;
    if (terms->locking == LOCKING_NEVER)
        return DATE_NONE;
    if (terms->locking == LOCKING_MONTH)
        at = date_end_of_month(at);
    at = date_add_days(at, terms->locking_days);
    if (at != DATE_NONE && terms->locking_month_day > 0)
        at = next_day_of_month(at, terms->locking_month_day);
    return at;
}

int64_t terms_clearing_at(int clearing_days, int64_t locking_at)
{
    return clearing_days == TERMS_NEVER ? DATE_NONE : date_add_days(locking_at, clearing_days);
}

/* ---- reading ---- */

static const char *const lockings[] = {
    [LOCKING_NEVER] = "NEVER",
    [LOCKING_EVENT] = "AFTER_EVENT",
    [LOCKING_MONTH] = "AFTER_END_OF_MONTH",
};

static int whole(const struct fields *fields, const char *name, int least, int most, int none)
{
    char *text = fields_text(fields, name, 40, FIELD_NUMBER, NULL);
    int64_t number = none;
    if (text != NULL && !text_int(text, least, most, &number)) {
        problems_add(fields->problems, name, "must be a whole number from %d to %d", least, most);
        number = none;
    }
    free(text);
    return (int)number;
}

/* "5", "4.25", "0.0001": hundreds of a percent in units; -1 when it is none. */
static int64_t percent_parse(const char *text)
{
    int64_t units = 0, scale = TERMS_PERCENT_UNIT;
    const char *at = text;
    if (!money_is_decimal(text) || *at == '-')
        return -1;
    for (; *at != '\0' && *at != '.'; at++) {
        units = units * 10 + (*at - '0') * TERMS_PERCENT_UNIT;
        if (units > TERMS_PERCENT_MOST)
            return -1;
    }
    for (at += *at == '.'; *at != '\0'; at++) {
        scale /= 10;
        if (scale == 0 && *at != '0')
            return -1;
        units += (*at - '0') * scale;
    }
    return units <= TERMS_PERCENT_MOST ? units : -1;
}

static void percent_format(char out[PERCENT_TEXT], int64_t units)
{
    int length = snprintf(out, PERCENT_TEXT, "%d.%04d", (int)(units / TERMS_PERCENT_UNIT),
                          (int)(units % TERMS_PERCENT_UNIT));
    while (out[length - 1] == '0')
        out[--length] = '\0';
    if (out[length - 1] == '.')
        out[length - 1] = '\0';
}

static void read_payout(struct terms *terms, const struct fields *fields)
{
    char *percent = fields_text(fields, "PayoutPercentage", 40, FIELD_NUMBER, NULL);
    int64_t fixed = fields_money(fields, "PayoutAmount", terms->currency, false, NULL);
    if (percent != NULL && fixed != MONEY_NONE) {
        problems_add(fields->problems, "PayoutAmount",
                     "is a fixed sum, and PayoutPercentage is given too: give one of them");
    } else if (percent != NULL) {
        terms->payout_kind = PAYOUT_PERCENT;
        terms->payout = percent_parse(percent);
        if (terms->payout < 0)
            problems_add(fields->problems, "PayoutPercentage",
                         "must be a decimal number from 0 to 100 with at most 4 decimals");
    } else if (fixed != MONEY_NONE) {
        terms->payout_kind = PAYOUT_FIXED;
        terms->payout = fixed;
    } else if (fields->problems->count == 0) {
        problems_add(
            fields->problems, "PayoutPercentage",
            "is required: the part of the amount that is paid, such as 5; or PayoutAmount");
    }
    free(percent);
}

static void read_locking(struct terms *terms, const struct fields *fields)
{
    char *text = fields_text(fields, "Locking", 40, 0, NULL);
    int kind = LOCKING_NEVER;
    if (text != NULL) {
        for (kind = LOCKING_NEVER; kind <= LOCKING_MONTH; kind++)
            if (strcmp(lockings[kind], text) == 0)
                break;
        if (kind > LOCKING_MONTH)
            problems_add(fields->problems, "Locking",
                         "must be NEVER, AFTER_EVENT or AFTER_END_OF_MONTH");
    }
    terms->locking = kind <= LOCKING_MONTH ? (enum locking_kind)kind : LOCKING_NEVER;
    terms->locking_days = whole(fields, "LockingDays", 0, TERMS_DAYS_MOST, 0);
    terms->locking_month_day = whole(fields, "LockingDayOfMonth", 1, 31, 0);
    if (text == NULL && (terms->locking_days > 0 || terms->locking_month_day > 0))
        problems_add(fields->problems, "Locking",
                     "is required with LockingDays and LockingDayOfMonth: AFTER_EVENT or "
                     "AFTER_END_OF_MONTH");
    terms->clearing_days = whole(fields, "ClearingDays", 0, TERMS_DAYS_MOST, TERMS_NEVER);
    free(text);
}

void terms_read(struct terms *terms, const json_t *from, const char *currency, int64_t now_ms,
                struct problems *problems)
{
    const struct fields fields = { .from = from, .problems = problems };
    *terms = (struct terms){ .clearing_days = TERMS_NEVER };
    show_cut(terms->currency, sizeof(terms->currency), currency);
    read_payout(terms, &fields);
    read_locking(terms, &fields);
    terms->from_at = fields_date(&fields, "StartDate", DATE_NONE, 0, NULL);
    if (terms->from_at == DATE_NONE)
        terms->from_at = now_ms;
}

/* ---- showing ---- */

static void show_days(json_t *shown, const char *name, int days, int none)
{
    if (days == none)
        show_text(shown, name, "");
    else
        show_int(shown, name, days);
}

json_t *terms_show(const struct terms *terms)
{
    char percent[PERCENT_TEXT] = "";
    bool fixed = terms->payout_kind == PAYOUT_FIXED;
    json_t *shown = json_object();
    if (!fixed)
        percent_format(percent, terms->payout);
    show_text(shown, "PayoutPercentage", percent);
    show_money(shown, "PayoutAmount", fixed ? terms->payout : MONEY_NONE, terms->currency);
    show_text(shown, "Currency", terms->currency);
    show_text(shown, "Locking", lockings[terms->locking]);
    show_days(shown, "LockingDays", terms->locking_days,
              terms->locking == LOCKING_NEVER ? terms->locking_days : -1);
    show_days(shown, "LockingDayOfMonth", terms->locking_month_day, 0);
    show_days(shown, "ClearingDays", terms->clearing_days, TERMS_NEVER);
    show_date(shown, "StartDate", terms->from_at);
    return shown;
}

/* "14 February 2026" */
static void day_words(char out[DATE_TEXT], int64_t at)
{
    if (!date_pattern(out, DATE_TEXT, "%d %B %Y", at))
        snprintf(out, DATE_TEXT, "no date that there is");
    if (out[0] == '0')
        memmove(out, out + 1, strlen(out));
}

static void preview_words(json_t *shown, int64_t amount, const char *currency, int64_t payout,
                          int64_t event_at, int64_t locking_at, int64_t clearing_at)
{
    char sale[MONEY_TEXT], pays[MONEY_TEXT], day[DATE_TEXT];
    struct buf text = { 0 };
    money_format(sale, amount, currency);
    money_format(pays, payout, currency);
    day_words(day, event_at);
    if (amount != MONEY_NONE)
        buf_fmt(&text, "A sale of %s %s on %s pays %s %s", sale, currency, day, pays, currency);
    else
        buf_fmt(&text, "A sale on %s pays %s %s", day, pays, currency);
    if (locking_at != DATE_NONE) {
        day_words(day, locking_at);
        buf_fmt(&text, ", locks on %s", day);
    } else {
        buf_str(&text, ", never locks by itself");
    }
    if (clearing_at != DATE_NONE) {
        day_words(day, clearing_at);
        buf_fmt(&text, " and clears on %s.", day);
    } else {
        buf_str(&text, locking_at != DATE_NONE ? " and never clears by itself." : ".");
    }
    show_text(shown, "Text", buf_text(&text));
    buf_free(&text);
}

json_t *terms_preview(const struct terms *terms, int64_t amount, int64_t event_at)
{
    int64_t payout = terms_payout(terms->payout_kind, terms->payout, amount);
    int64_t locking_at = terms_locking_at(terms, event_at);
    int64_t clearing_at = terms_clearing_at(terms->clearing_days, locking_at);
    json_t *shown = json_object();
    show_money(shown, "Amount", amount, terms->currency);
    show_date(shown, "EventDate", event_at);
    show_money(shown, "Payout", payout, terms->currency);
    show_text(shown, "Currency", terms->currency);
    show_date(shown, "LockingDate", locking_at);
    show_date(shown, "ClearingDate", clearing_at);
    preview_words(shown, amount, terms->currency, payout, event_at, locking_at, clearing_at);
    return shown;
}
