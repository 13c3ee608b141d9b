/* attachment_fuzz.c — arbitrary bytes as a file, and as its name. */
#include "model/attachment.h"

#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    enum attachment_kind kind = ATTACHMENT_PDF;
    attachment_flaw(bytes, len, &kind);
    if (!text_is_utf8((const char *)bytes, len) || memchr(bytes, 0, len) != NULL)
        return 0;
    char *given = malloc(len + 1);
    if (given == NULL)
        return 0;
    memcpy(given, bytes, len);
    given[len] = '\0';
    struct buf name = { 0 };
    attachment_name(&name, given, kind);
    if (name.len == 0 || strpbrk(buf_text(&name), "/\\\"\r\n") != NULL ||
        buf_text(&name)[0] == '.' || text_length(buf_text(&name)) > ATTACHMENT_NAME_MAX)
        abort();
    buf_free(&name);
    free(given);
    return 0;
}
