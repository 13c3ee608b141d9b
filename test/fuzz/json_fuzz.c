/* json_fuzz.c — our reader of JSON against jansson's: both read a text to the same value, or
 * neither reads it (but for what ours refuses besides). */
#include "model/json.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Is what we read, written, the same to jansson?  Numbers stay as they stood. */
static bool written_again(const json_t *ours, const json_t *theirs)
{
    struct buf text = { 0 };
    json_write(&text, ours);
    json_t *again = text.failed ? NULL : json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL);
    bool same = text.failed || (again != NULL && json_equal(again, theirs));
    json_decref(again);
    buf_free(&text);
    return same;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_fault fault = { 0 };
    json_error_t error;
    bool capped;
    json_t *ours = json_read((const char *)data, size, &fault);
    json_t *theirs =
        json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (memchr(data, 0, size) != NULL) /* jansson takes a NUL behind the value for the end */
        goto done;
    capped = fault.what != NULL &&
             (strstr(fault.what, "nested") != NULL || strstr(fault.what, "too long") != NULL);
    if ((ours == NULL) != (theirs == NULL) && !capped) {
        fprintf(stderr, "ours: %s (%s), theirs: %s (%s)\n", ours != NULL ? "read" : "refused",
                fault.what != NULL ? fault.what : "", theirs != NULL ? "read" : "refused",
                error.text);
        abort();
    }
    if (ours != NULL && theirs != NULL && !written_again(ours, theirs))
        abort();
done:
    json_decref(ours);
    json_decref(theirs);
    return 0;
}
