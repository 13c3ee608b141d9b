/* mail.c — letters, and the text that a mailer takes.
 *
 * The rule: what is not known to be harmless is encoded, never passed on with hope.
 */
#include "model/mail.h"

#include "base/fail.h"
#include "base/text.h"
#include "model/escape.h"

#include <stdlib.h>
#include <string.h>

enum {
    ADDRESS_MAX = 254, /* RFC 5321 §4.5.3.1 */
    LOCAL_MAX = 64,
    LABEL_MAX = 63,   /* RFC 1035 §2.3.4 */
    SUBJECT_MAX = 70, /* bytes written as they are; RFC 5322 §2.1.1 wants lines under 78 */
    ENCODED_MAX = 39, /* bytes in one encoded word; RFC 2047 §2: lines of at most 76 */
    BODY_LINE = 57,   /* bytes in a line of base64 of 76 */
};

struct letter *letter_new(const char *to, const char *subject, const char *text)
{
    struct letter *letter = must_alloc(sizeof(*letter));
    letter->to = must_copy(to);
    letter->subject = must_copy(subject);
    letter->text = must_copy(text);
    return letter;
}

void letter_free(struct letter *letter)
{
    free(letter->to);
    free(letter->subject);
    free(letter->text);
    free(letter);
}

void letters_free(struct list *letters)
{
    struct list *node;
    while ((node = list_first(letters)) != NULL) {
        list_remove(node);
        letter_free(container_of(node, struct letter, in));
    }
}

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool local_is_good(const char *local, size_t len)
{
    if (len == 0 || len > LOCAL_MAX || !is_letter_or_digit(local[0]) || local[len - 1] == '.')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_letter_or_digit(local[i]) && strchr("._+-='", local[i]) == NULL)
            return false;
        if (local[i] == '.' && local[i + 1] == '.')
            return false;
    }
    return true;
}

/* Labels of letters, digits and inner hyphens; the last one is no number, as in 192.0.2.1. */
static bool host_is_good(const char *host)
{
    bool letters = false;
    for (;;) {
        size_t len = strcspn(host, ".");
        if (len == 0 || len > LABEL_MAX || host[0] == '-' || host[len - 1] == '-')
            return false;
        letters = false;
        for (size_t i = 0; i < len; i++) {
            if (!is_letter_or_digit(host[i]) && host[i] != '-')
                return false;
            letters = letters || host[i] < '0' || host[i] > '9';
        }
        if (host[len] == '\0')
            return letters;
        host += len + 1;
    }
}

const char *mail_address_fault(const char *address)
{
    const char *at = strchr(address, '@');
    if (at == NULL || strchr(at + 1, '@') != NULL)
        return "must be a mail address: name@example.com";
    if (strlen(address) > ADDRESS_MAX)
        return "must have at most 254 characters";
    if (!local_is_good(address, (size_t)(at - address)))
        return "must begin with a letter or a digit and have at most 64 letters, digits and ._+-=' "
               "before the @, no two dots together";
    if (!host_is_good(at + 1))
        return "must have a host's name behind the @, of letters, digits and hyphens between dots, "
               "as example.com";
    return NULL;
}

static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < ' ' || text[i] > '~')
            return false;
    }
    return len <= SUBJECT_MAX && strstr(text, "=?") == NULL;
}

/* A word holds whole characters. */
static size_t word_length(const char *text, size_t len)
{
    size_t cut = len < ENCODED_MAX ? len : ENCODED_MAX;
    while (cut < len && cut > 1 && ((unsigned char)text[cut] & 0xc0) == 0x80)
        cut--;
    return cut;
}

static void write_subject(struct buf *out, const char *text)
{
    size_t len = strlen(text);
    buf_str(out, "Subject: ");
    if (is_plain(text, len)) {
        buf_str(out, text);
    } else {
        while (len > 0) {
            size_t word = word_length(text, len);
            buf_str(out, "=?utf-8?B?");
            text_base64(out, text, word, false);
            buf_str(out, word < len ? "?=\n " : "?=");
            text += word;
            len -= word;
        }
    }
    buf_char(out, '\n');
}

/* Of one part; no line of base64 can be it. */
#define BOUNDARY "=_a_letter_in_two_forms_"

static void write_part(struct buf *out, const char *type, const char *text, size_t len)
{
    buf_fmt(out,
            "--" BOUNDARY "\nContent-Type: %s; charset=utf-8\n"
            "Content-Transfer-Encoding: base64\n\n",
            type);
    for (size_t at = 0; at < len; at += BODY_LINE) {
        text_base64(out, text + at, len - at < BODY_LINE ? len - at : BODY_LINE, false);
        buf_char(out, '\n');
    }
}

static bool is_web_address(const char *line, size_t len)
{
    return (text_starts(line, "https://") || text_starts(line, "http://")) &&
           strcspn(line, " \t\r\n\"<>") == len;
}

static void write_html(struct buf *out, const char *text)
{
    bool open = false;
    buf_str(out,
            "<!doctype html>\n<html><body style=\"font-family:sans-serif;line-height:1.5\">\n");
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        if (len == 0) {
            buf_str(out, open ? "</p>\n" : "");
            open = false;
        } else {
            buf_str(out, open ? "<br>\n" : "<p>");
            open = true;
            bool link = is_web_address(text, len);
            if (link) {
                buf_str(out, "<a href=\"");
                escape_add(out, ESCAPE_XML_ATTRIBUTE, text, len);
                buf_str(out, "\">");
            }
            escape_add(out, ESCAPE_XML_TEXT, text, len);
            buf_str(out, link ? "</a>" : "");
        }
        text += len + (text[len] == '\n');
    }
    buf_str(out, open ? "</p>\n</body></html>\n" : "</body></html>\n");
}

bool mail_write(struct buf *out, const struct letter *letter)
{
    if (mail_address_fault(letter->to) != NULL)
        return false;
    buf_fmt(out, "To: %s\n", letter->to);
    write_subject(out, letter->subject);
    buf_str(out, "Auto-Submitted: auto-generated\n"
                 "MIME-Version: 1.0\n"
                 "Content-Type: multipart/alternative; boundary=\"" BOUNDARY "\"\n\n");
    struct buf html = { 0 };
    write_html(&html, letter->text);
    write_part(out, "text/plain", letter->text, strlen(letter->text));
    write_part(out, "text/html", html.data, html.len);
    buf_str(out, "--" BOUNDARY "--\n");
    buf_free(&html);
    return true;
}
