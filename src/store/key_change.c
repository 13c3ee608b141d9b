/* key_change.c — the table key_change, whose one row is there while a change is under way, and the
 * walk over the columns that hold what is sealed.
 *
 * The rule: the row is deleted in the transaction that finds nothing left that only the old key
 * opens, and by then no server seals with it.  A server tells by its writer what it seals with, so
 * all that it sealed before is committed before that.
 */
#include "store/key_change.h"

#include "base/fail.h"
#include "base/text.h"
#include "model/date.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/meta.h"
#include "store/secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_ROWS = 50 };

/* ---- the rows ---- */

struct key_row {
    bool there;
    char next[KEY_PRINT_TEXT];      /* the key that is to seal */
    char forgotten[KEY_PRINT_TEXT]; /* the last one that was changed; "": none was */
    int64_t began_at, resealed;
};

static void load(struct db *db, struct key_row *out)
{
    *out = (struct key_row){ 0 };
    struct stmt *find = db_prepare(db, "SELECT next, began_at, resealed FROM key_change");
    out->there = db_step(find) == DB_ROW;
    if (out->there) {
        snprintf(out->next, KEY_PRINT_TEXT, "%s", db_text(find, 0));
        out->began_at = db_int(find, 1);
        out->resealed = db_int(find, 2);
    }
    db_finish(find);
    find = db_prepare(db, "SELECT value FROM meta WHERE key = 'forgotten_key'");
    if (db_step(find) == DB_ROW)
        snprintf(out->forgotten, KEY_PRINT_TEXT, "%s", db_text(find, 0));
    db_finish(find);
}

static bool is_key(const char *print, const char *other)
{
    return *print != '\0' && strcmp(print, other) == 0;
}

/* ---- following ---- */

static bool lacks(struct error *error, const char *why)
{
    error_set(error, ERROR_BROKEN, "%s %s: take the file of a server that has it", keyring_path(),
              why);
    return false;
}

bool key_change_follow(struct db *db, struct error *error)
{
    struct keyring_prints has;
    struct key_row row;
    if (!keyring_reread(error))
        return false;
    load(db, &row);
    keyring_prints(&has);
    if (row.there && !is_key(row.next, has.seals)) {
        return is_key(row.next, has.other)
                   ? keyring_swap(error)
                   : lacks(error, "has not the key to which all that is sealed is changed now");
    }
    if (is_key(row.forgotten, has.seals))
        return *has.other != '\0'
                   ? keyring_swap(error) && keyring_forget(error)
                   : lacks(error, "is the key from before it was changed for all servers");
    return !is_key(row.forgotten, has.other) || keyring_forget(error);
}

/* ---- what the servers have ---- */

#define SQL_SAYS "sealing_key = ?1 AND next_key = ?2"

static bool is_told(struct db *db, const struct keyring_prints *has)
{
    struct stmt *find = db_prepare(db, "SELECT 1 FROM node WHERE " SQL_SAYS " AND number = ?3");
    db_bind_text(find, 1, has->seals);
    db_bind_text(find, 2, has->other);
    db_bind_int(find, 3, db_node(db));
    return db_number(find, 0) == 1;
}

bool key_change_waits(struct db *db)
{
    struct keyring_prints has;
    struct key_row row;
    load(db, &row);
    keyring_prints(&has);
    return row.there || is_key(row.forgotten, has.seals) || is_key(row.forgotten, has.other) ||
           keyring_changed() || (db_is_remote(db) && !is_told(db, &has));
}

void key_change_tell(struct db *db)
{
    struct keyring_prints has;
    keyring_prints(&has);
    struct stmt *put = db_prepare(
        db,
        "UPDATE node SET sealing_key = ?1, next_key = ?2 WHERE number = ?3 AND NOT (" SQL_SAYS ")");
    db_bind_text(put, 1, has.seals);
    db_bind_text(put, 2, has.other);
    db_bind_int(put, 3, db_node(db));
    db_run(db, put);
}

/* The names of live servers that do not seal with the key, nor (`next`) have it behind that one. */
static json_t *without(struct db *db, const char *key, bool next)
{
    json_t *names = json_array();
    int64_t ahead, now = db_clock(db, &ahead);
    struct stmt *list =
        db_prepare(db, "SELECT name FROM node WHERE until_at >= ?1 AND sealing_key <> ?2 AND "
                       "(?3 = 0 OR next_key <> ?2) ORDER BY name");
    db_bind_int(list, 1, now);
    db_bind_text(list, 2, key);
    db_bind_int(list, 3, next);
    while (db_step(list) == DB_ROW)
        json_array_append_new(names, json_string(db_text(list, 0)));
    db_finish(list);
    return names;
}

/* ---- the beginning ---- */

static bool refuse_for(json_t *names, struct error *error)
{
    struct buf text = { 0 };
    size_t at;
    json_t *name;
    json_array_foreach(names, at, name)
        buf_fmt(&text, "%s%s", at > 0 ? ", " : "", json_string_value(name));
    error_set(
        error, ERROR_CONFLICT,
        "These servers do not have the next key yet: %.400s. Make it with \"postbackd next-key "
        "--key-file FILE\" on one, copy that file to the others, and ask again in ten "
        "seconds.",
        buf_text(&text));
    buf_free(&text);
    return false;
}

static bool all_have(struct db *db, const char *next, struct error *error)
{
    json_t *names = without(db, next, true);
    bool all = json_array_size(names) == 0 || refuse_for(names, error);
    json_decref(names);
    return all;
}

bool key_change_begin(struct db *db, struct error *error)
{
    struct keyring_prints has;
    struct key_row row;
    load(db, &row);
    if (row.there) {
        error_set(error, ERROR_CONFLICT, "The key is being changed already.");
        return false;
    }
    if (!key_change_follow(db, error))
        return false;
    keyring_prints(&has);
    if (*has.other == '\0' && !db_is_remote(db)) {
        if (!keyring_add(error))
            return false;
        keyring_prints(&has);
    }
    if (*has.other == '\0') {
        error_set(
            error, ERROR_CONFLICT,
            "There is no next key yet. Make it with \"postbackd next-key --key-file FILE\" on "
            "one server, copy that file to the others, and ask again in ten seconds.");
        return false;
    }
    key_change_tell(db);
    if (!all_have(db, has.other, error))
        return false;
    struct stmt *add = db_prepare(
        db, "INSERT INTO key_change (one, next, began_at, resealed) VALUES (1, ?, ?, 0)");
    db_bind_text(add, 1, has.other);
    db_bind_int(add, 2, db_now(db));
    db_run(db, add);
    return true;
}

/* ---- the walk ---- */

const struct sealed_column sealed_columns[SEALED_COLUMNS] = {
    { "event notifications",
      "SELECT notification, revision, secrets FROM notification_revision "
      "WHERE notification > ?1 OR (notification = ?1 AND revision > ?2) "
      "ORDER BY notification, revision LIMIT ?3",
      "UPDATE notification_revision SET secrets = ?3 WHERE notification = ?1 AND revision = ?2" },
    { "answers to an Idempotency-Key",
      "SELECT id, 0, answer FROM idempotency WHERE id > ?1 AND ?2 >= 0 AND answer IS NOT NULL "
      "ORDER BY id LIMIT ?3",
      "UPDATE idempotency SET answer = ?3 WHERE id = ?1 AND ?2 = 0" },
    { "second factors",
      "SELECT person, 0, secret FROM factor WHERE person > ?1 AND ?2 >= 0 "
      "ORDER BY person LIMIT ?3",
      "UPDATE factor SET secret = ?3 WHERE person = ?1 AND ?2 = 0" },
};

struct sealed_row {
    int64_t a, b;
    struct buf sealed; /* anew; empty: it stays */
};

static size_t read_rows(struct db *db, const struct key_walk *walk,
                        struct sealed_row rows[STEP_ROWS])
{
    struct stmt *list = db_prepare(db, sealed_columns[walk->column].list);
    size_t count = 0;
    db_bind_int(list, 1, walk->a);
    db_bind_int(list, 2, walk->b);
    db_bind_int(list, 3, STEP_ROWS);
    while (count < STEP_ROWS && db_step(list) == DB_ROW) {
        size_t len;
        const void *sealed = db_bytes(list, 2, &len);
        rows[count] = (struct sealed_row){ .a = db_int(list, 0), .b = db_int(list, 1) };
        secrets_reseal(&rows[count++].sealed, sealed, len); /* shut ones are for `check` to tell */
    }
    db_finish(list);
    return count;
}

static bool put_row(struct db *db, int64_t column, const struct sealed_row *row)
{
    if (row->sealed.len == 0)
        return false;
    struct stmt *put = db_prepare(db, sealed_columns[column].put);
    db_bind_int(put, 1, row->a);
    db_bind_int(put, 2, row->b);
    db_bind_bytes(put, 3, row->sealed.data, row->sealed.len);
    db_run(db, put);
    return true;
}

static void count_resealed(struct db *db, int64_t count)
{
    struct stmt *put = db_prepare(db, "UPDATE key_change SET resealed = resealed + ?");
    db_bind_int(put, 1, count);
    db_run(db, put);
}

static void walk_on(struct db *db, struct key_walk *walk)
{
    struct sealed_row rows[STEP_ROWS];
    size_t count = read_rows(db, walk, rows);
    int64_t resealed = 0;
    for (size_t i = 0; i < count; i++) {
        resealed += put_row(db, walk->column, &rows[i]);
        buf_free(&rows[i].sealed);
    }
    if (resealed > 0)
        count_resealed(db, resealed);
    if (count == STEP_ROWS)
        *walk = (struct key_walk){ walk->column, rows[count - 1].a, rows[count - 1].b };
    else
        *walk = (struct key_walk){ .column = walk->column + 1 };
}

static void finish(struct db *db, const struct key_row *row)
{
    struct keyring_prints has;
    struct caller by = { .account = account_operator(db), .kind = ACCOUNT_OPERATOR };
    keyring_prints(&has);
    secrets_reseal_word(db);
    db_run(db, db_prepare(db, "DELETE FROM key_change"));
    meta_put_text(db, "forgotten_key", has.other);
    snprintf(by.name, sizeof(by.name), "postbackd");
    audit_add(db, &by, "", "key.changed", "/Operator/KeyChange",
              json_pack("{s:s, s:I}", "Key", row->next, "Resealed", (json_int_t)row->resealed));
}

static bool all_seal(struct db *db, const char *key)
{
    json_t *names = without(db, key, false);
    bool all = json_array_size(names) == 0;
    json_decref(names);
    return all;
}

bool key_change_step(struct db *db, struct key_walk *walk)
{
    struct keyring_prints has;
    struct key_row row;
    load(db, &row);
    keyring_prints(&has);
    if (!row.there || !is_key(row.next, has.seals) || !all_seal(db, row.next))
        return false;
    if (walk->column < SEALED_COLUMNS) {
        walk_on(db, walk);
        return true;
    }
    finish(db, &row);
    *walk = (struct key_walk){ 0 };
    return false;
}

/* ---- for people ---- */

json_t *key_change_show(struct db *db)
{
    struct keyring_prints has;
    struct key_row row;
    json_t *shown = json_object(), *waits = NULL;
    load(db, &row);
    keyring_prints(&has);
    if (row.there)
        waits = without(db, row.next, false);
    else if (*has.other != '\0')
        waits = without(db, has.other, true);
    bool waiting = row.there && (json_array_size(waits) > 0 || !is_key(row.next, has.seals));
    show_text(shown, "State", !row.there ? "NONE" : waiting ? "WAITING" : "RESEALING");
    show_text(shown, "Key", has.seals);
    show_text(shown, "NextKey", row.there ? row.next : has.other);
    show_date(shown, "StartDate", row.there ? row.began_at : DATE_NONE);
    show_int(shown, "Resealed", row.resealed);
    json_object_set_new(shown, "WaitingFor", waits != NULL ? waits : json_array());
    return shown;
}
