/* view.c — what a saved view may hold: short texts alone, for the page to make something of. */
#include "model/view.h"

#include "base/text.h"

#include <string.h>

static const char *const pages[VIEW_PAGES] = {
    [VIEW_POSTBACKS] = "POSTBACKS",
    [VIEW_INQUIRIES] = "INQUIRIES",
    [VIEW_ACTIONS] = "ACTIONS",
};

const char *view_page_name(enum view_page page)
{
    return page > 0 && page < VIEW_PAGES ? pages[page] : "";
}

bool view_page_named(const char *name, enum view_page *page)
{
    for (int i = VIEW_POSTBACKS; i < VIEW_PAGES; i++) {
        if (!text_same(name, pages[i]))
            continue;
        *page = (enum view_page)i;
        return true;
    }
    return false;
}

static bool is_short(const json_t *text)
{
    return json_is_string(text) && json_string_length(text) <= VIEW_MEMBER_BYTES;
}

static bool filters_fit(const json_t *filters)
{
    const char *name;
    const json_t *value;
    if (!json_is_object(filters) || json_object_size(filters) > VIEW_MEMBERS_MAX)
        return false;
    json_object_foreach((json_t *)filters, name, value)
    {
        if (strlen(name) > VIEW_MEMBER_BYTES || !is_short(value))
            return false;
    }
    return true;
}

static bool columns_fit(const json_t *columns)
{
    const json_t *name;
    size_t i;
    if (!json_is_array(columns) || json_array_size(columns) > VIEW_MEMBERS_MAX)
        return false;
    json_array_foreach(columns, i, name)
    {
        if (!is_short(name))
            return false;
    }
    return true;
}

/* A new reference to what is given, or was before, or to `empty`, which is stolen. */
static json_t *member(const json_t *body, const json_t *before, const char *name, json_t *empty)
{
    json_t *given = json_object_get(body, name);
    if (given == NULL)
        given = json_object_get(before, name);
    if (given == NULL)
        return empty;
    json_decref(empty);
    return json_incref(given);
}

json_t *view_settings_read(const json_t *body, const json_t *before, struct problems *problems)
{
    json_t *settings = json_object();
    json_t *filters = member(body, before, "Filters", json_object());
    json_t *columns = member(body, before, "Columns", json_array());
    if (!filters_fit(filters))
        problems_add(problems, "Filters", "must be an object of at most %d texts of %d bytes",
                     VIEW_MEMBERS_MAX, VIEW_MEMBER_BYTES);
    if (!columns_fit(columns))
        problems_add(problems, "Columns", "must be a list of at most %d texts of %d bytes",
                     VIEW_MEMBERS_MAX, VIEW_MEMBER_BYTES);
    json_object_set_new(settings, "Filters", filters);
    json_object_set_new(settings, "Columns", columns);
    return settings;
}
