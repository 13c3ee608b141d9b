/* Any bytes as a Cookie header: what comes out is a value that a cookie may have, and is in it. */
#include "server/cookie.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *header = malloc(size + 1), out[64];
    memcpy(header, data, size);
    header[size] = '\0';
    if (cookie_read(header, "id", out, sizeof(out))) {
        char pair[80] = "id=";
        strncat(pair, out, sizeof(pair) - 4);
        if (out[0] == '\0' || strpbrk(out, " \t;,\"\\") != NULL || strstr(header, pair) == NULL)
            abort();
    } else if (out[0] != '\0') {
        abort();
    }
    free(header);
    return 0;
}
