/* page.c — lists: reading Page, PageSize and spans of time, and the attributes of the answer.
 *
 * The addresses of the other pages repeat the request's own filters, byte for byte, with Page and
 * PageSize put last.
 */
#include "api/api.h"

#include "base/text.h"
#include "model/date.h"

#include <inttypes.h>
#include <string.h>

enum { PAGE_MOST = 1000 * 1000 * 1000 };

static void number_read(const struct call *call, const char *name, int64_t most, int64_t *number,
                        struct problems *problems)
{
    const char *given = call_query(call, name);
    if (given[0] != '\0' && !text_int(given, 1, most, number))
        problems_add(problems, name, "must be a number from 1 to %" PRId64, most);
}

void page_read(const struct call *call, struct page *page, struct problems *problems)
{
    page->number = 1;
    page->size = PAGE_SIZE_DEFAULT;
    number_read(call, "Page", PAGE_MOST, &page->number, problems);
    number_read(call, "PageSize", PAGE_SIZE_MOST, &page->size, problems);
}

static bool moment_read(const struct call *call, const char *name, int64_t *at_ms, bool *whole_day,
                        struct problems *problems)
{
    const char *given = call_query(call, name);
    if (given[0] == '\0')
        return false;
    if (date_parse_day(given, at_ms, whole_day))
        return true;
    problems_add(problems, name, DATE_WANTED " (in a URL '+' is written %%2B)");
    return false;
}

void span_read(const struct call *call, const char *start, const char *end, int64_t *from,
               int64_t *until, struct problems *problems)
{
    bool whole_day;
    *from = *until = DATE_NONE;
    moment_read(call, start, from, &whole_day, problems);
    if (!moment_read(call, end, until, &whole_day, problems))
        return;
    if (whole_day)
        *until = date_add_days(*until, 1);
    else /* an end without milliseconds means that whole second */
        *until += *until % 1000 == 0 ? 1000 : 1;
    if (*from != DATE_NONE && *from >= *until)
        problems_add(problems, end, "must not be before %s", start);
}

void page_uri(struct buf *uri, const struct call *call, const char *const *without)
{
    size_t len = strcspn(call->target, "?");
    const char *at = call->target + len;
    buf_add(uri, call->target, len);
    for (char joint = '?'; *at != '\0'; at += len) {
        at++;
        len = strcspn(at, "&");
        size_t name_len = strcspn(at, "&=");
        bool kept = len > 0;
        for (const char *const *name = without; *name != NULL && kept; name++)
            kept = strlen(*name) != name_len || memcmp(*name, at, name_len) != 0;
        if (!kept)
            continue;
        buf_char(uri, joint);
        buf_add(uri, at, len);
        joint = '&';
    }
}

/* "" for a page that is none. */
static json_t *uri_of(const struct call *call, const struct page *page, int64_t number,
                      int64_t last)
{
    static const char *const own[] = { "Page", "PageSize", NULL };
    if (number < 1 || number > last)
        return json_string("");
    struct buf uri = { 0 };
    page_uri(&uri, call, own);
    buf_fmt(&uri, "%cPage=%" PRId64 "&PageSize=%" PRId64,
            strchr(buf_text(&uri), '?') != NULL ? '&' : '?', number, page->size);
    json_t *text = call_string(buf_text(&uri));
    buf_free(&uri);
    return text;
}

static void set_number(json_t *body, const char *name, int64_t number)
{
    json_object_set_new(body, name, json_sprintf("%" PRId64, number));
}

json_t *page_answer(const struct call *call, const struct page *page, int64_t total, int64_t count,
                    const char *name)
{
    int64_t pages = (total + page->size - 1) / page->size;
    int64_t last = pages > 0 ? pages : 1; /* an empty list has a first page too */
    int64_t start = (page->number - 1) * page->size;
    json_t *body = json_object();
    set_number(body, "@page", page->number);
    set_number(body, "@numpages", pages);
    set_number(body, "@pagesize", page->size);
    set_number(body, "@total", total);
    set_number(body, "@start", start);
    set_number(body, "@end", count > 0 ? start + count - 1 : start);
    json_object_set_new(body, "@uri", uri_of(call, page, page->number, INT64_MAX));
    json_object_set_new(body, "@firstpageuri", uri_of(call, page, 1, last));
    json_object_set_new(body, "@nextpageuri", uri_of(call, page, page->number + 1, last));
    json_object_set_new(body, "@previouspageuri", uri_of(call, page, page->number - 1, last));
    json_object_set_new(body, "@lastpageuri", uri_of(call, page, last, last));
    json_object_set_new(body, name, json_array());
    return body;
}
