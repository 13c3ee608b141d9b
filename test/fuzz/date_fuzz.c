/* Dates: what is read can be written and read again, and a pattern never writes past its end. */
#include "model/date.h"

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
    char *text = malloc(len + 1);
    memcpy(text, bytes, len);
    text[len] = '\0';

    int64_t at_ms, again;
    char written[DATE_TEXT];
    if (date_parse(text, &at_ms)) {
        check(date_parse(date_format_ms(written, at_ms), &again) && again == at_ms);
        check(date_add_days(date_add_days(at_ms, 40), -40) == at_ms);
        check(date_end_of_month(at_ms) > at_ms);
    }

    int64_t any = 0;
    memcpy(&any, bytes, len < sizeof(any) ? len : sizeof(any));
    unsigned size = len > 0 ? bytes[len - 1] : 0;
    char *out = malloc(size); /* exact, so that the sanitizer sees one byte too many */
    if (date_pattern(out, size, text, any % 253402300800000))
        check(strlen(out) < size);
    date_format(written, any);
    free(out);
    free(text);
    return 0;
}
