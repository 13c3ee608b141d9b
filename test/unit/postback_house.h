/* postback_house.h — event notifications, events and postbacks in a house (see house.h). */
#ifndef POSTBACKD_TEST_POSTBACK_HOUSE_H
#define POSTBACKD_TEST_POSTBACK_HOUSE_H

#include "house.h"
#include "model/change.h"
#include "store/events.h"
#include "store/notifications.h"
#include "store/postbacks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* ---- event notifications ---- */

struct new_notification {
    int64_t account, id;
    const char *types; /* comma-separated */
    int minimum_delay_s;
    struct notification *changed; /* by house_change() */
};

/* The category is that of the first type. */
static inline struct notification *house_compile(int64_t account, const char *types, int delay_s)
{
    struct notification_settings settings = { 0 };
    struct problems problems = { 0 };
    char first[80];
    snprintf(first, sizeof(first), "%.*s", (int)strcspn(types, ","), types);
    json_t *from =
        json_pack("{s:s, s:s, s:s, s:s, s:i}", "Category", catalog_type(first)->category->name,
                  "Method", "POST", "Url", "http://receiver.example/p?id={EventId}", "EventTypes",
                  types, "MinimumDelay", delay_s);
    notification_settings_read(&settings, from, &problems);
    struct notification *notification = notification_compile(&settings, &problems);
    for (size_t i = 0; i < problems.count; i++)
        print_error("%s: %s\n", problems.items[i].field, problems.items[i].message);
    assert_non_null(notification);
    notification->account = account;
    json_decref(from);
    problems_free(&problems);
    return notification;
}

static inline bool house_add_notification(struct job *job, struct db *db, void *with)
{
    struct new_notification *new = with;
    struct notification *notification =
        house_compile(new->account, new->types, new->minimum_delay_s);
    (void)job;
    notification_add(db, notification);
    new->id = notification->id;
    notification_unref(notification);
    return true;
}

static inline int64_t house_notify(struct house *house, int64_t account, const char *types)
{
    struct new_notification new = { .account = account, .types = types };
    assert_true(house_do(house, house_add_notification, &new, NULL));
    return new.id;
}

/* ---- publishing; what is handed over is kept ---- */

struct published {
    struct house *house;
    int64_t account, inquiry, event;
    const char *type, *data; /* data NULL: short */
    bool direct;             /* those handed over stay without rows */
    struct list fresh;       /* postbacks with events */
    size_t hints;            /* of what was written WAITING */
    int64_t hint_notification, hint_due_at, hint_id;
};

static inline void house_keep_fresh(void *context, struct list *postbacks)
{
    struct published *published = context;
    for (struct list *node; (node = list_first(postbacks)) != NULL;) {
        struct postback *postback = container_of(node, struct postback, in);
        list_remove(node);
        list_append(&published->fresh, &postback->in);
    }
}

static inline void house_keep_hint(void *context, const struct change *change)
{
    struct published *published = context;
    if (change->kind != CHANGE_WAITING)
        return;
    published->hints++;
    published->hint_notification = change->notification;
    published->hint_due_at = change->due_at;
    published->hint_id = change->id;
}

static inline bool house_publish_run(struct job *job, struct db *db, void *with)
{
    struct published *published = with;
    const struct event_type *type = catalog_type(published->type);
    const char *data = published->data != NULL ? published->data : "{\"CustomerId\":\"c-1\"}";
    assert_non_null(type);
    struct event *event =
        event_new(published->account, type, db_now(db), published->inquiry, data, strlen(data));
    event_publish(job, db, event);
    published->event = event->id;
    event_unref(event);
    return true;
}

static inline bool house_write_rows(struct job *job, struct db *db, void *with)
{
    struct published *published = with;
    (void)job;
    for (struct list *node = published->fresh.next; node != &published->fresh; node = node->next) {
        struct postback *postback = container_of(node, struct postback, in);
        postback_write(db, postback);
        postback->written = true;
    }
    return true;
}

static inline void house_publish_this(struct house *house, struct published *out)
{
    list_init(&out->fresh);
    store_on_fresh(house->store, house_keep_fresh, out);
    store_listen(house->store, house_keep_hint, out);
    assert_true(house_do(house, house_publish_run, out, NULL));
    store_on_fresh(house->store, house_fresh, house);
    store_unlisten(house->store, out);
    if (!out->direct) /* as if they had been out for long */
        assert_true(house_do(house, house_write_rows, out, NULL));
}

static inline void house_publish(struct house *house, int64_t account, const char *type,
                                 int64_t inquiry, struct published *out)
{
    *out =
        (struct published){ .house = house, .account = account, .type = type, .inquiry = inquiry };
    house_publish_this(house, out);
}

static inline size_t list_length(const struct list *head)
{
    size_t count = 0;
    for (const struct list *node = head->next; node != head; node = node->next)
        count++;
    return count;
}

static inline void house_free_list(struct list *postbacks)
{
    for (struct list *node; (node = list_first(postbacks)) != NULL;) {
        list_remove(node);
        postback_free(container_of(node, struct postback, in));
    }
}

static inline int64_t house_only_fresh(struct published *published)
{
    struct list *node = list_first(&published->fresh);
    int64_t id = node != NULL ? container_of(node, struct postback, in)->id : 0;
    house_free_list(&published->fresh);
    return id;
}

/* The id of the one postback that publishing makes; 0: none was fresh. */
static inline int64_t house_postback(struct house *house, int64_t account, const char *type,
                                     int64_t inquiry)
{
    struct published published;
    house_publish(house, account, type, inquiry, &published);
    return house_only_fresh(&published);
}

/* Nearly as large as may be. */
static inline const char *house_large_data(void)
{
    static char data[65000];
    if (data[0] == '\0')
        snprintf(data, sizeof(data), "{\"CustomerId\":\"%0*d\"}", (int)sizeof(data) - 18, 7);
    return data;
}

/* The same for a large event. */
static inline int64_t house_large_postback(struct house *house, int64_t account, const char *type)
{
    struct published published = {
        .house = house, .account = account, .type = type, .data = house_large_data()
    };
    house_publish_this(house, &published);
    return house_only_fresh(&published);
}

/* ---- one number from the database ---- */

struct number {
    const char *sql;
    int64_t id, value;
};

static inline bool house_number_run(struct job *job, struct db *db, void *with)
{
    struct number *number = with;
    struct stmt *find = db_prepare_once(db, number->sql);
    (void)job;
    if (strchr(number->sql, '?') != NULL)
        db_bind_int(find, 1, number->id);
    number->value = db_step(find) == DB_ROW ? db_opt(find, 0, -1) : -2;
    db_finish(find);
    return true;
}

/* -1: NULL; -2: no row. */
static inline int64_t house_number(struct house *house, const char *sql, int64_t id)
{
    struct number number = { .sql = sql, .id = id };
    assert_true(house_do(house, house_number_run, &number, NULL));
    return number.value;
}

static inline bool house_recover_run(struct job *job, struct db *db, void *with)
{
    (void)job;
    *(int64_t *)with = postback_recover(db);
    return true;
}

/* As at a start: what was handed over has rows then. */
static inline int64_t house_recover(struct house *house)
{
    int64_t count;
    assert_true(house_do(house, house_recover_run, &count, NULL));
    return count;
}

static inline int64_t state_of(struct house *house, int64_t postback)
{
    return house_number(house, "SELECT state FROM postback WHERE id = ?", postback);
}

#endif
