/* attachment.c — containers by their structure, and names that are nobody's path. */
#include "model/attachment.h"

#include "base/problem.h"
#include "base/text.h"
#include "model/name.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const struct {
    const char *type, *ending, *other; /* `other`: an ending that is as good */
} kinds[] = {
    [ATTACHMENT_PDF] = { "application/pdf", ".pdf", ".pdf" },
    [ATTACHMENT_PNG] = { "image/png", ".png", ".png" },
    [ATTACHMENT_JPEG] = { "image/jpeg", ".jpg", ".jpeg" },
};

static uint32_t number(const unsigned char *at, size_t bytes)
{
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

static const char *size_flaw(uint32_t width, uint32_t height)
{
    if (width == 0 || height == 0)
        return "is a picture of no size";
    if (width > ATTACHMENT_SIDE_MAX || height > ATTACHMENT_SIDE_MAX ||
        (uint64_t)width * height > ATTACHMENT_PIXELS_MAX)
        return "is a picture of more than 100 million pixels, or 20,000 on a side";
    return NULL;
}

/* ---- PNG: a signature and chunks, from IHDR to IEND ---- */

static const char *png_flaw(const unsigned char *bytes, size_t len)
{
    static const char broken[] = "is not a whole PNG file";
    size_t at = 8;
    bool data = false;
    for (bool first = true; len - at >= 12; first = false) {
        size_t size = number(bytes + at, 4);
        const unsigned char *name = bytes + at + 4, *body = bytes + at + 8;
        if (size > len - at - 12 || first != (memcmp(name, "IHDR", 4) == 0) ||
            (first && size != 13))
            return broken;
        const char *flaw = first ? size_flaw(number(body, 4), number(body + 4, 4)) : NULL;
        if (flaw != NULL)
            return flaw;
        data = data || memcmp(name, "IDAT", 4) == 0;
        at += size + 12;
        if (memcmp(name, "IEND", 4) == 0)
            return data && size == 0 && at == len ? NULL : broken;
    }
    return broken;
}

/* ---- JPEG: segments up to the picture, which has an end ---- */

static bool is_frame(unsigned marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

static const char *jpeg_flaw(const unsigned char *bytes, size_t len)
{
    static const char broken[] = "is not a whole JPEG file";
    bool frame = false;
    for (size_t at = 2; len - at >= 4;) {
        unsigned marker = bytes[at + 1];
        size_t size = number(bytes + at + 2, 2);
        if (bytes[at] != 0xFF || marker < 0xC0)
            return broken;
        if (marker == 0xFF) { /* filling */
            at++;
            continue;
        }
        if (size < 2 || size > len - at - 2)
            return broken;
        if (is_frame(marker)) {
            if (size < 8 || frame)
                return broken;
            const char *flaw = size_flaw(number(bytes + at + 7, 2), number(bytes + at + 5, 2));
            if (flaw != NULL)
                return flaw;
            frame = true;
        }
        at += size + 2;
        if (marker == 0xDA)
            return frame && memmem(bytes + at, len - at, "\xff\xd9", 2) != NULL ? NULL : broken;
    }
    return broken;
}

/* ---- PDF: its head, and a tail that says where to begin ---- */

static const char *pdf_flaw(const char *bytes, size_t len)
{
    static const char broken[] = "is not a whole PDF file";
    if (len < 20 || (bytes[5] != '1' && bytes[5] != '2') || bytes[6] != '.' ||
        !isdigit((unsigned char)bytes[7]))
        return broken;
    const char *tail = len < 2048 ? bytes : &bytes[len - 2048];
    size_t size = len < 2048 ? len : 2048;
    bool whole =
        memmem(tail, size, "startxref", 9) != NULL && memmem(tail, size, "%%EOF", 5) != NULL;
    return whole ? NULL : broken;
}

const char *attachment_flaw(const void *bytes, size_t len, enum attachment_kind *kind)
{
    if (len > ATTACHMENT_BYTES_MAX)
        return "has more than 5 MiB";
    if (bytes == NULL || len == 0)
        return "is empty";
    if (len >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0) {
        *kind = ATTACHMENT_PNG;
        return png_flaw(bytes, len);
    }
    if (len >= 4 && memcmp(bytes, "\xff\xd8\xff", 3) == 0) {
        *kind = ATTACHMENT_JPEG;
        return jpeg_flaw(bytes, len);
    }
    if (len >= 8 && memcmp(bytes, "%PDF-", 5) == 0) {
        *kind = ATTACHMENT_PDF;
        return pdf_flaw(bytes, len);
    }
    return "must be a PDF, PNG or JPEG file; its bytes are none of these";
}

const char *attachment_type(enum attachment_kind kind)
{
    return kinds[kind].type;
}

/* ---- names ---- */

static bool is_shown(const char *character, size_t size)
{
    struct problems problems = { 0 };
    char one[8] = { 0 };
    if (size == 1)
        return character[0] >= ' ' && character[0] != 0x7f &&
               strchr("\"\\/:*?<>|%;", character[0]) == NULL;
    memcpy(one, character, size);
    bool shown = text_is_utf8(one, size) && name_check(one, "Name", &problems);
    problems_free(&problems);
    return shown;
}

static size_t bytes_of(const char *at)
{
    unsigned char first = (unsigned char)*at;
    size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    return size <= strnlen(at, size) ? size : 1;
}

static bool ends_with(const char *text, size_t len, const char *ending)
{
    size_t size = strlen(ending);
    return len >= size && text_same(text + len - size, ending);
}

void attachment_name(struct buf *out, const char *given, enum attachment_kind kind)
{
    struct buf name = { 0 };
    const char *base = given;
    size_t characters = 0;
    for (const char *at = given; *at != '\0'; at++)
        base = *at == '/' || *at == '\\' ? at + 1 : base;
    for (const char *at = base; *at != '\0' && characters < ATTACHMENT_NAME_MAX - 5;) {
        size_t size = bytes_of(at);
        bool hides = name.len == 0 && (*at == '.' || *at == ' '); /* at the beginning */
        if (!hides && is_shown(at, size)) {
            buf_add(&name, at, size);
            characters++;
        }
        at += size;
    }
    const char *text = buf_text(&name);
    if (name.len == 0)
        buf_str(out, "file");
    buf_str(out, text);
    if (!ends_with(text, name.len, kinds[kind].ending) &&
        !ends_with(text, name.len, kinds[kind].other))
        buf_str(out, kinds[kind].ending);
    buf_free(&name);
}
