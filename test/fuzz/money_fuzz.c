/* Money: "CUR amount"; what is read is written as the same amount, and nothing is rounded. */
#include "model/money.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len);

static void check(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len)
{
    if (len < 4)
        return 0;
    char currency[4] = { (char)bytes[0], (char)bytes[1], (char)bytes[2], '\0' };
    char *text = malloc(len - 3);
    memcpy(text, bytes + 4, len - 4);
    text[len - 4] = '\0';

    int64_t minor, again;
    char written[MONEY_TEXT];
    if (money_parse(text, currency, &minor) == NULL) {
        money_format(written, minor, currency);
        check(money_parse(written, currency, &again) == NULL && again == minor);
        check((strpbrk(text, "123456789") != NULL) == (minor != 0));
        check(minor == 0 || (text[0] == '-') == (minor < 0));
    } else if (money_is_decimal(text)) {
        /* 15 digits always fit: only decimals or the currency can be wrong */
        check(strchr(text, '.') != NULL || !money_currency_known(currency));
    }
    free(text);
    return 0;
}
