/* money.h — exact decimal money: a count of minor units, never floating point.
 *
 * The number of decimals belongs to the currency (ISO 4217: EUR 2, JPY 0, KWD 3).
 */
#ifndef POSTBACKD_MONEY_H
#define POSTBACKD_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#define MONEY_NONE INT64_MIN /* no amount was given; formatted as "" */

enum { MONEY_TEXT = 32 };

bool money_currency_known(const char *currency); /* three upper-case letters of ISO 4217 */
int money_decimals(const char *currency);        /* -1: unknown currency */

/* "12", "12.5", "-3.20"; no group separators, no more decimals than the currency has (trailing
 * zeroes aside).  NULL when right, else a sentence fragment that says what would be right
 * ("must be a decimal number like 12.50"). */
const char *money_parse(const char *text, const char *currency, int64_t *minor);
/* Is it written as money is, whatever the currency: at most 15 digits, and 6 after a point. */
bool money_is_decimal(const char *text);

/* Gives out.  An unknown currency is written with two decimals. */
const char *money_format(char out[MONEY_TEXT], int64_t minor, const char *currency);

#endif
