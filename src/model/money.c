/* money.c — decimal text to and from a count of minor units.
 *
 * The table holds the currencies of ISO 4217 in alphabetical order with their number of decimals;
 * funds, metals and test codes are left out.
 *
 * Never: round.  An amount that its currency cannot hold exactly is refused.
 */
#include "model/money.h"

#include <stdlib.h>
#include <string.h>

struct currency {
    char code[4];
    int decimals;
};

static const struct currency currencies[] = {
    { "AED", 2 }, { "AFN", 2 }, { "ALL", 2 }, { "AMD", 2 }, { "ANG", 2 }, { "AOA", 2 },
    { "ARS", 2 }, { "AUD", 2 }, { "AWG", 2 }, { "AZN", 2 }, { "BAM", 2 }, { "BBD", 2 },
    { "BDT", 2 }, { "BGN", 2 }, { "BHD", 3 }, { "BIF", 0 }, { "BMD", 2 }, { "BND", 2 },
    { "BOB", 2 }, { "BRL", 2 }, { "BSD", 2 }, { "BTN", 2 }, { "BWP", 2 }, { "BYN", 2 },
    { "BZD", 2 }, { "CAD", 2 }, { "CDF", 2 }, { "CHF", 2 }, { "CLF", 4 }, { "CLP", 0 },
    { "CNY", 2 }, { "COP", 2 }, { "CRC", 2 }, { "CUP", 2 }, { "CVE", 2 }, { "CZK", 2 },
    { "DJF", 0 }, { "DKK", 2 }, { "DOP", 2 }, { "DZD", 2 }, { "EGP", 2 }, { "ERN", 2 },
    { "ETB", 2 }, { "EUR", 2 }, { "FJD", 2 }, { "FKP", 2 }, { "GBP", 2 }, { "GEL", 2 },
    { "GHS", 2 }, { "GIP", 2 }, { "GMD", 2 }, { "GNF", 0 }, { "GTQ", 2 }, { "GYD", 2 },
    { "HKD", 2 }, { "HNL", 2 }, { "HTG", 2 }, { "HUF", 2 }, { "IDR", 2 }, { "ILS", 2 },
    { "INR", 2 }, { "IQD", 3 }, { "IRR", 2 }, { "ISK", 0 }, { "JMD", 2 }, { "JOD", 3 },
    { "JPY", 0 }, { "KES", 2 }, { "KGS", 2 }, { "KHR", 2 }, { "KMF", 0 }, { "KPW", 2 },
    { "KRW", 0 }, { "KWD", 3 }, { "KYD", 2 }, { "KZT", 2 }, { "LAK", 2 }, { "LBP", 2 },
    { "LKR", 2 }, { "LRD", 2 }, { "LSL", 2 }, { "LYD", 3 }, { "MAD", 2 }, { "MDL", 2 },
    { "MGA", 2 }, { "MKD", 2 }, { "MMK", 2 }, { "MNT", 2 }, { "MOP", 2 }, { "MRU", 2 },
    { "MUR", 2 }, { "MVR", 2 }, { "MWK", 2 }, { "MXN", 2 }, { "MYR", 2 }, { "MZN", 2 },
    { "NAD", 2 }, { "NGN", 2 }, { "NIO", 2 }, { "NOK", 2 }, { "NPR", 2 }, { "NZD", 2 },
    { "OMR", 3 }, { "PAB", 2 }, { "PEN", 2 }, { "PGK", 2 }, { "PHP", 2 }, { "PKR", 2 },
    { "PLN", 2 }, { "PYG", 0 }, { "QAR", 2 }, { "RON", 2 }, { "RSD", 2 }, { "RUB", 2 },
    { "RWF", 0 }, { "SAR", 2 }, { "SBD", 2 }, { "SCR", 2 }, { "SDG", 2 }, { "SEK", 2 },
    { "SGD", 2 }, { "SHP", 2 }, { "SLE", 2 }, { "SOS", 2 }, { "SRD", 2 }, { "SSP", 2 },
    { "STN", 2 }, { "SVC", 2 }, { "SYP", 2 }, { "SZL", 2 }, { "THB", 2 }, { "TJS", 2 },
    { "TMT", 2 }, { "TND", 3 }, { "TOP", 2 }, { "TRY", 2 }, { "TTD", 2 }, { "TWD", 2 },
    { "TZS", 2 }, { "UAH", 2 }, { "UGX", 0 }, { "USD", 2 }, { "UYU", 2 }, { "UYW", 4 },
    { "UZS", 2 }, { "VED", 2 }, { "VES", 2 }, { "VND", 0 }, { "VUV", 0 }, { "WST", 2 },
    { "XAF", 0 }, { "XCD", 2 }, { "XCG", 2 }, { "XOF", 0 }, { "XPF", 0 }, { "YER", 2 },
    { "ZAR", 2 }, { "ZMW", 2 }, { "ZWG", 2 },
};

static int compare(const void *code, const void *currency)
{
    return strcmp(code, ((const struct currency *)currency)->code);
}

int money_decimals(const char *currency)
{
    const struct currency *found =
        bsearch(currency, currencies, sizeof(currencies) / sizeof(currencies[0]),
                sizeof(currencies[0]), compare);
    return found != NULL ? found->decimals : -1;
}

bool money_currency_known(const char *currency)
{
    return money_decimals(currency) != -1;
}

struct decimal { /* -12.50: negative, "12" and "50" */
    bool negative;
    const char *whole, *fraction;
    size_t whole_len, fraction_len;
};

static size_t digits(const char *at)
{
    return strspn(at, "0123456789");
}

static bool decimal_read(struct decimal *decimal, const char *text)
{
    *decimal = (struct decimal){ .negative = *text == '-' };
    decimal->whole = text + decimal->negative;
    decimal->whole_len = digits(decimal->whole);
    const char *at = decimal->whole + decimal->whole_len;
    if (decimal->whole_len == 0)
        return false;
    if (*at != '.')
        return *at == '\0';
    decimal->fraction = at + 1;
    decimal->fraction_len = digits(at + 1);
    return decimal->fraction_len > 0 && at[1 + decimal->fraction_len] == '\0';
}

bool money_is_decimal(const char *text)
{
    struct decimal decimal;
    return decimal_read(&decimal, text) && decimal.whole_len <= 15 && decimal.fraction_len <= 6;
}

/* sum * 10 - digit: amounts are summed below zero, so that none overflows before the other. */
static bool append(int64_t *sum, int digit)
{
    return !__builtin_mul_overflow(*sum, 10, sum) && !__builtin_sub_overflow(*sum, digit, sum);
}

static bool decimal_minor(const struct decimal *decimal, int decimals, int64_t *minor)
{
    int64_t sum = 0;
    for (size_t i = 0; i < decimal->whole_len; i++)
        if (!append(&sum, decimal->whole[i] - '0'))
            return false;
    for (int i = 0; i < decimals; i++)
        if (!append(&sum, (size_t)i < decimal->fraction_len ? decimal->fraction[i] - '0' : 0))
            return false;
    if (sum == MONEY_NONE)
        return false;
    *minor = decimal->negative ? sum : -sum;
    return true;
}

const char *money_parse(const char *text, const char *currency, int64_t *minor)
{
    static const char *const too_fine[] = {
        [0] = "must have no decimals in this currency",
        [2] = "must have at most 2 decimals in this currency",
        [3] = "must have at most 3 decimals in this currency",
        [4] = "must have at most 4 decimals in this currency",
    };
    int decimals = money_decimals(currency);
    struct decimal decimal;
    if (decimals == -1)
        return "must have a currency of ISO 4217, such as EUR";
    if (!decimal_read(&decimal, text))
        return "must be a decimal number like 12.50, without separators or symbols";
    while (decimal.fraction_len > (size_t)decimals &&
           decimal.fraction[decimal.fraction_len - 1] == '0')
        decimal.fraction_len--;
    if (decimal.fraction_len > (size_t)decimals)
        return too_fine[decimals];
    if (!decimal_minor(&decimal, decimals, minor))
        return "must be a smaller number";
    return NULL;
}

const char *money_format(char out[MONEY_TEXT], int64_t minor, const char *currency)
{
    out[0] = '\0';
    if (minor == MONEY_NONE)
        return out;
    int decimals = money_decimals(currency);
    if (decimals == -1)
        decimals = 2;
    uint64_t rest = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;
    char text[MONEY_TEXT];
    char *at = text + sizeof(text) - 1;
    *at = '\0';
    int written = 0;
    do {
        if (written == decimals && decimals > 0)
            *--at = '.';
        *--at = (char)('0' + rest % 10);
        rest /= 10;
        written++;
    } while (rest != 0 || written <= decimals);
    if (minor < 0)
        *--at = '-';
    memcpy(out, at, (size_t)(text + sizeof(text) - at));
    return out;
}
