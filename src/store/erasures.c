/* erasures.c — where a customer's data may lie, a function to find it and one to empty it each.
 *
 * A word is looked for as a whole JSON string ("C-5521"), so a short one empties nothing that only
 * has it somewhere within; in a file of an export it is looked for as it is.
 */
#include "store/erasures.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/id_list.h"
#include "model/account.h"
#include "model/escape.h"
#include "model/show.h"
#include "store/direct.h"
#include "store/postbacks.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What erasure_find.kind says that `what` is.  On disk. */
enum find_kind {
    FOUND_WORD = 1,
    FOUND_INQUIRY = 2,
    FOUND_ACTION = 3,
    FOUND_ACCOUNT = 4,
    COUNTED = 5
};

enum { SCAN_ROWS = 200 };

/* ---- what has been found ---- */

static void found_add(struct db *db, int64_t errand, enum find_kind kind, const char *what)
{
    if (*what == '\0')
        return;
    struct stmt *add =
        db_prepare(db, "INSERT INTO erasure_find (errand, kind, what, number) VALUES (?, ?, ?, 0) "
                       "ON CONFLICT DO NOTHING");
    db_bind_int(add, 1, errand);
    db_bind_int(add, 2, (int64_t)kind);
    db_bind_text(add, 3, what);
    db_run(db, add);
}

static void found_add_id(struct db *db, int64_t errand, enum find_kind kind, int64_t id)
{
    if (id == 0)
        return;
    struct stmt *add =
        db_prepare(db, "INSERT INTO erasure_find (errand, kind, what, number) VALUES (?, ?, ?, ?) "
                       "ON CONFLICT DO NOTHING");
    struct buf what = { 0 };
    buf_int(&what, id);
    db_bind_int(add, 1, errand);
    db_bind_int(add, 2, (int64_t)kind);
    db_bind_text(add, 3, buf_text(&what));
    db_bind_int(add, 4, id);
    db_run(db, add);
    buf_free(&what);
}

void erasure_count(struct db *db, int64_t errand, const char *what, int64_t rows)
{
    if (rows == 0)
        return;
    struct stmt *add =
        db_prepare(db, "INSERT INTO erasure_find (errand, kind, what, number) VALUES (?, 5, ?, ?) "
                       "ON CONFLICT (errand, kind, what) "
                       "DO UPDATE SET number = erasure_find.number + excluded.number");
    db_bind_int(add, 1, errand);
    db_bind_text(add, 2, what);
    db_bind_int(add, 3, rows);
    db_run(db, add);
}

json_t *erasure_counts(struct db *db, int64_t errand)
{
    struct stmt *list = db_prepare(db, "SELECT what, number FROM erasure_find WHERE errand = ? AND "
                                       "kind = 5 ORDER BY what");
    json_t *counts = json_object();
    db_bind_int(list, 1, errand);
    while (db_step(list) == DB_ROW)
        show_int(counts, db_text(list, 0), db_int(list, 1));
    db_finish(list);
    return counts;
}

void erasure_end(struct db *db, int64_t errand, json_t *request)
{
    struct stmt *drop = db_prepare(db, "DELETE FROM erasure_find WHERE errand = ?");
    db_bind_int(drop, 1, errand);
    db_run(db, drop);
    json_object_set_new(request, "Parameters", json_object());
    char *text = json_dumps(request, JSON_COMPACT);
    struct stmt *put = db_prepare(db, "UPDATE errand SET request = ? WHERE id = ?");
    db_bind_text(put, 1, text != NULL ? text : "{}");
    db_bind_int(put, 2, errand);
    db_run(db, put);
    free(text);
}

/* The words, as they are and as JSON strings; and the accounts that know the customer. */
struct words {
    char **plain, **quoted;
    size_t count;
    int64_t *accounts;
    size_t account_count;
};

static void words_read(struct db *db, int64_t errand, struct words *words)
{
    struct stmt *list = db_prepare(db, "SELECT kind, what, number FROM erasure_find "
                                       "WHERE errand = ? AND kind IN (1, 4)");
    *words = (struct words){ 0 };
    db_bind_int(list, 1, errand);
    while (db_step(list) == DB_ROW) {
        if (db_int(list, 0) == FOUND_ACCOUNT) {
            words->accounts =
                must_resize(words->accounts, (words->account_count + 1) * sizeof(*words->accounts));
            words->accounts[words->account_count++] = db_int(list, 2);
            continue;
        }
        struct buf quoted = { 0 };
        const char *word = db_text(list, 1);
        escape_add(&quoted, ESCAPE_JSON_QUOTED, word, strlen(word));
        words->plain = must_resize(words->plain, (words->count + 1) * sizeof(*words->plain));
        words->quoted = must_resize(words->quoted, (words->count + 1) * sizeof(*words->quoted));
        words->plain[words->count] = must_copy(word);
        words->quoted[words->count++] = must_copy(buf_text(&quoted));
        buf_free(&quoted);
    }
    db_finish(list);
}

static void words_free(struct words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        free(words->plain[i]);
        free(words->quoted[i]);
    }
    free(words->plain);
    free(words->quoted);
    free(words->accounts);
}

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (c & 0x80) != 0;
}

/* Not as a part of a longer word. */
static bool stands_alone(const char *text, const char *at, size_t len)
{
    return (at == text || !is_word_char(at[-1])) && !is_word_char(at[len]);
}

static bool words_in(char *const *words, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(words[i]);
        for (const char *at = text; (at = strstr(at, words[i])) != NULL; at += len) {
            if (stands_alone(text, at, len))
                return true;
        }
    }
    return false;
}

static bool words_know(const struct words *words, int64_t account)
{
    for (size_t i = 0; i < words->account_count; i++) {
        if (words->accounts[i] == account)
            return true;
    }
    return false;
}

/* ---- looking ---- */

static bool is_same(const char *wanted, const char *text)
{
    return wanted != NULL && strcmp(wanted, text) == 0;
}

/* id, account, other account, customer, order; the next of an inquiry or action. */
static bool customer_matches(const struct erasure *erasure, const struct words *words,
                             struct stmt *row)
{
    (void)words;
    return (db_int(row, 1) == erasure->account || db_int(row, 2) == erasure->account) &&
           (is_same(erasure->customer, db_text(row, 3)) ||
            is_same(erasure->order, db_text(row, 4)));
}

/* id, account, JSON */
static bool data_matches(const struct erasure *erasure, const struct words *words, struct stmt *row)
{
    (void)erasure;
    return words_know(words, db_int(row, 1)) &&
           words_in(words->quoted, words->count, db_text(row, 2));
}

/* id, account, words for people */
static bool text_matches(const struct erasure *erasure, const struct words *words, struct stmt *row)
{
    (void)erasure;
    return words_know(words, db_int(row, 1)) &&
           words_in(words->plain, words->count, db_text(row, 2));
}

/* id, account, kind of the account */
static bool job_matches(const struct erasure *erasure, const struct words *words, struct stmt *row)
{
    return db_int(row, 0) != erasure->errand &&
           (words_know(words, db_int(row, 1)) || db_int(row, 2) == ACCOUNT_OPERATOR);
}

static bool always(const struct erasure *erasure, const struct words *words, struct stmt *row)
{
    (void)erasure;
    (void)words;
    (void)row;
    return true;
}

static const struct place {
    const char *scan; /* rows behind an id (?1), by id; those that were found for the job ?3 */
    bool (*matches)(const struct erasure *, const struct words *, struct stmt *row);
} places[ERASURE_PLACES] = {
    [ERASURE_FINDS_INQUIRIES] = { "SELECT id, partner, brand, customer_id, order_id FROM inquiry "
                                  "WHERE id > ?1 AND ?3 > 0 ORDER BY id LIMIT ?2",
                                  customer_matches },
    [ERASURE_FINDS_ACTIONS] = { "SELECT id, partner, brand, customer_id, order_id FROM action "
                                "WHERE id > ?1 AND ?3 > 0 ORDER BY id LIMIT ?2",
                                customer_matches },
    [ERASURE_EVENTS] = { "SELECT id, account, data FROM event WHERE id > ?1 AND ?3 > 0 "
                         "ORDER BY id LIMIT ?2",
                         data_matches },
    [ERASURE_AUDIT] = { "SELECT id, account, detail FROM audit WHERE id > ?1 AND ?3 > 0 "
                        "ORDER BY id LIMIT ?2",
                        data_matches },
    [ERASURE_NOTICES] = { "SELECT id, account, text FROM notice WHERE id > ?1 AND ?3 > 0 "
                          "ORDER BY id LIMIT ?2",
                          text_matches },
    [ERASURE_JOBS] = { "SELECT e.id, e.account, a.kind FROM errand e JOIN account a "
                       "ON a.id = e.account WHERE e.id > ?1 AND ?3 > 0 AND "
                       "e.input_bytes + e.result_bytes > 0 ORDER BY e.id LIMIT ?2",
                       job_matches },
    [ERASURE_INQUIRIES] = { "SELECT number FROM erasure_find WHERE errand = ?3 AND kind = 2 AND "
                            "number > ?1 ORDER BY number LIMIT ?2",
                            always },
    [ERASURE_ACTIONS] = { "SELECT number FROM erasure_find WHERE errand = ?3 AND kind = 3 AND "
                          "number > ?1 ORDER BY number LIMIT ?2",
                          always },
};

/* Rows of one statement.  Gives how many it read. */
static int look_some(struct db *db, const struct erasure *erasure, enum erasure_place place,
                     const struct words *words, int64_t *after, int64_t *ids, size_t *count,
                     size_t most)
{
    struct stmt *scan = db_prepare(db, places[place].scan);
    int rows = 0;
    db_bind_int(scan, 1, *after);
    db_bind_int(scan, 2, SCAN_ROWS);
    db_bind_int(scan, 3, erasure->errand);
    while (*count < most && db_step(scan) == DB_ROW) {
        *after = db_int(scan, 0);
        if (places[place].matches(erasure, words, scan))
            ids[(*count)++] = *after;
        rows++;
    }
    db_finish(scan);
    return *count < most ? rows : SCAN_ROWS;
}

size_t erasure_look(struct db *db, const struct erasure *erasure, enum erasure_place place,
                    int64_t *after, int64_t *ids, size_t most, int64_t until_us, bool *end)
{
    struct words words;
    size_t count = 0;
    words_read(db, erasure->errand, &words);
    do {
        *end = look_some(db, erasure, place, &words, after, ids, &count, most) < SCAN_ROWS;
    } while (!*end && count < most && clock_steady_us() < until_us && !db_failed(db));
    words_free(&words);
    return count;
}

/* ---- finding: the words, and who knows them ---- */

/* A row of partner, brand, customer, order and what belongs to it (an action, an inquiry). */
static int64_t words_add(struct db *db, int64_t errand, struct stmt *row)
{
    int64_t belongs = 0;
    if (db_step(row) == DB_ROW) {
        char *customer = db_copy(row, 2), *order = db_copy(row, 3);
        int64_t partner = db_int(row, 0), brand = db_int(row, 1);
        belongs = db_opt(row, 4, 0);
        db_finish(row);
        found_add(db, errand, FOUND_WORD, customer);
        found_add(db, errand, FOUND_WORD, order);
        found_add_id(db, errand, FOUND_ACCOUNT, partner);
        found_add_id(db, errand, FOUND_ACCOUNT, brand);
        free(customer);
        free(order);
    } else {
        db_finish(row);
    }
    return belongs;
}

static int64_t find_inquiry(struct db *db, int64_t errand, int64_t id)
{
    struct stmt *row = db_prepare(db, "SELECT partner, brand, customer_id, order_id, action "
                                      "FROM inquiry WHERE id = ?");
    db_bind_int(row, 1, id);
    found_add_id(db, errand, FOUND_INQUIRY, id);
    return words_add(db, errand, row);
}

static int64_t find_action(struct db *db, int64_t errand, int64_t id)
{
    struct stmt *row = db_prepare(db, "SELECT partner, brand, customer_id, order_id, inquiry "
                                      "FROM action WHERE id = ?");
    db_bind_int(row, 1, id);
    found_add_id(db, errand, FOUND_ACTION, id);
    return words_add(db, errand, row);
}

static bool take_found_inquiry(struct job *job, struct db *db, const struct erasure *erasure,
                               int64_t id)
{
    int64_t action = find_inquiry(db, erasure->errand, id);
    (void)job;
    if (action != 0)
        find_action(db, erasure->errand, action);
    return true;
}

static bool take_found_action(struct job *job, struct db *db, const struct erasure *erasure,
                              int64_t id)
{
    int64_t inquiry = find_action(db, erasure->errand, id);
    (void)job;
    if (inquiry != 0)
        find_inquiry(db, erasure->errand, inquiry);
    return true;
}

/* ---- events, their postbacks and attempts ---- */

/* Whether a postback of the event is still to be delivered, or being written. */
static bool has_unwritten(struct db *db, int64_t event, const char *direct)
{
    struct stmt *fans = db_prepare(db, "SELECT EXISTS (SELECT 1 FROM fan_out WHERE event = ?)");
    struct direct one;
    db_bind_int(fans, 1, event);
    if (db_number(fans, 0) != 0)
        return true;
    const char *rest = direct;
    for (size_t place = 0; rest != NULL && *direct != '\0'; place++) {
        if (direct_next(&rest) == 0 || !direct_find(db, direct_id(event, place), &one))
            continue;
        struct stmt *row = db_prepare(db, "SELECT EXISTS (SELECT 1 FROM postback WHERE id = ?)");
        db_bind_int(row, 1, one.id);
        if (db_number(row, 0) == 0)
            return true;
    }
    return false;
}

static void pending_of(struct db *db, int64_t event, int64_t last, struct id_list *ids)
{
    struct stmt *list = db_prepare(db, "SELECT id FROM postback WHERE state <= 1 AND "
                                       "((id > ?1 AND id <= ?2) OR (event = ?1 AND resent IS NOT "
                                       "NULL)) ORDER BY id");
    db_bind_int(list, 1, event);
    db_bind_int(list, 2, last);
    while (db_step(list) == DB_ROW)
        id_list_add(ids, db_int(list, 0));
    db_finish(list);
}

/* False: one of them is still to be delivered, and is not to be cancelled. */
static bool settle(struct job *job, struct db *db, const struct erasure *erasure, int64_t event,
                   int64_t account, int64_t last)
{
    struct id_list ids = { 0 };
    int64_t id;
    bool done = true;
    pending_of(db, event, last, &ids);
    while (done && id_list_next(&ids, &id)) {
        done = erasure->cancels && postback_cancel(job, db, account, id);
        if (done)
            erasure_count(db, erasure->errand, "CancelledPostbacks", 1);
        else if (job->error.kind == ERROR_NONE)
            error_set(&job->error, ERROR_UNAVAILABLE,
                      "postback %" PRId64 " is still to be delivered", id);
    }
    id_list_free(&ids);
    return done;
}

static void empty_attempts(struct db *db, const struct erasure *erasure, int64_t event,
                           int64_t last)
{
    struct stmt *put =
        db_prepare(db, "UPDATE attempt SET headers = NULL, body = NULL, detail = NULL WHERE "
                       "postback IN (SELECT id FROM postback WHERE (id > ?1 AND id <= ?2) OR "
                       "(event = ?1 AND resent IS NOT NULL))");
    db_bind_int(put, 1, event);
    db_bind_int(put, 2, last);
    db_run(db, put);
    int64_t attempts = db_changes(db);
    put = db_prepare(db, "UPDATE postback SET first_headers = NULL, first_body = NULL WHERE "
                         "first_headers IS NOT NULL AND ((id > ?1 AND id <= ?2) OR "
                         "(event = ?1 AND resent IS NOT NULL))");
    db_bind_int(put, 1, event);
    db_bind_int(put, 2, last);
    db_run(db, put);
    erasure_count(db, erasure->errand, "Attempts", attempts + db_changes(db));
}

/* Data points that tell of the customer, whatever their values are. */
static bool is_personal(const char *name)
{
    static const char *const names[] = { "CustomerId",
                                         "OrderId",
                                         "Oid",
                                         "MediaPartnerInquiryId",
                                         "TrackingLink",
                                         "InquiryNotes",
                                         "ResolutionNotes",
                                         "PromoCode",
                                         "SubId1",
                                         "SubId2",
                                         "SubId3",
                                         "SharedId",
                                         "LandingPageUrl" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static bool is_word(const struct words *words, const char *text)
{
    for (size_t i = 0; i < words->count; i++) {
        if (strcmp(words->plain[i], text) == 0)
            return true;
    }
    return false;
}

static void empty_json(json_t *value, const struct words *words)
{
    const char *name;
    json_t *member;
    size_t i;
    void *next;
    if (json_is_array(value)) {
        json_array_foreach(value, i, member)
        {
            if (json_is_string(member) && is_word(words, json_string_value(member)))
                json_array_set_new(value, i, json_string(""));
            else
                empty_json(member, words);
        }
    }
    json_object_foreach_safe(value, next, name, member)
    {
        if (strcmp(name, "Comments") == 0 && json_is_array(member))
            json_array_clear(member);
        else if (json_is_string(member) &&
                 (is_personal(name) || is_word(words, json_string_value(member))))
            json_object_set_new(value, name, json_string(""));
        else
            empty_json(member, words);
    }
}

/* The caller frees. */
static char *emptied(struct db *db, const struct erasure *erasure, const char *text)
{
    struct words words;
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    words_read(db, erasure->errand, &words);
    empty_json(value, &words);
    char *out = value != NULL ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    words_free(&words);
    json_decref(value);
    return out != NULL ? out : must_copy("{}");
}

static void write_text(struct db *db, struct stmt *put, char *text, int64_t id)
{
    db_bind_text(put, 1, text);
    db_bind_int(put, 2, id);
    db_run(db, put);
    free(text);
}

static void forget_key(struct db *db, int64_t event)
{
    struct stmt *drop = db_prepare(db, "DELETE FROM event_dedupe WHERE event = ?");
    db_bind_int(drop, 1, event);
    db_run(db, drop);
}

static bool take_event(struct job *job, struct db *db, const struct erasure *erasure, int64_t id)
{
    struct stmt *find = db_prepare(db, "SELECT account, data, coalesce(postbacks, 0), "
                                       "coalesce(direct, '') FROM event WHERE id = ?");
    db_bind_int(find, 1, id);
    if (db_step(find) != DB_ROW) { /* it has grown old meanwhile */
        db_finish(find);
        return true;
    }
    int64_t account = db_int(find, 0), last = id + db_int(find, 2);
    char *data = db_copy(find, 1), *direct = db_copy(find, 3);
    db_finish(find);
    bool done = !has_unwritten(db, id, direct);
    if (!done)
        error_set(&job->error, ERROR_UNAVAILABLE, "a postback of event %" PRId64 " is being sent",
                  id);
    done = done && settle(job, db, erasure, id, account, last);
    if (done) {
        write_text(db, db_prepare(db, "UPDATE event SET data = ? WHERE id = ?"),
                   emptied(db, erasure, data), id);
        forget_key(db, id);
        empty_attempts(db, erasure, id, last);
        erasure_count(db, erasure->errand, "Events", 1);
    }
    free(data);
    free(direct);
    return done;
}

/* ---- the logs ---- */

static bool take_audit(struct job *job, struct db *db, const struct erasure *erasure, int64_t id)
{
    struct stmt *find = db_prepare(db, "SELECT detail FROM audit WHERE id = ?");
    (void)job;
    db_bind_int(find, 1, id);
    char *detail = db_step(find) == DB_ROW ? db_copy(find, 0) : must_copy("{}");
    db_finish(find);
    write_text(db, db_prepare(db, "UPDATE audit SET detail = ? WHERE id = ?"),
               emptied(db, erasure, detail), id);
    free(detail);
    erasure_count(db, erasure->errand, "AuditEntries", 1);
    return true;
}

static bool take_notice(struct job *job, struct db *db, const struct erasure *erasure, int64_t id)
{
    (void)job;
    write_text(db, db_prepare(db, "UPDATE notice SET text = ? WHERE id = ?"),
               must_copy("It was about a customer whose data was erased."), id);
    erasure_count(db, erasure->errand, "Notices", 1);
    return true;
}

/* ---- inquiries and actions ---- */

static void run_for(struct db *db, struct stmt *put, int64_t id)
{
    db_bind_int(put, 1, id);
    db_run(db, put);
}

static void drop_files(struct db *db, const struct erasure *erasure, int64_t id)
{
    run_for(db,
            db_prepare(db, "DELETE FROM attachment_chunk WHERE attachment IN "
                           "(SELECT id FROM attachment WHERE inquiry = ?)"),
            id);
    run_for(db, db_prepare(db, "DELETE FROM attachment WHERE inquiry = ?"), id);
    erasure_count(db, erasure->errand, "Files", db_changes(db));
}

/* A decision that may still be taken back goes first: it may name the customer. */
static bool take_inquiry(struct job *job, struct db *db, const struct erasure *erasure, int64_t id)
{
    struct stmt *held = db_prepare(db, "SELECT count(*) FROM held_decision WHERE inquiry = ?");
    db_bind_int(held, 1, id);
    if (db_number(held, 0) > 0) {
        error_set(&job->error, ERROR_UNAVAILABLE, "inquiry %" PRId64 " is being decided", id);
        return false;
    }
    drop_files(db, erasure, id);
    run_for(db,
            db_prepare(db, "UPDATE inquiry SET order_id = 'erased-' || id, customer_id = '', "
                           "reference = '', tracking_link = '', notes = '', "
                           "resolution_notes = '', promo_code = '' WHERE id = ?"),
            id);
    erasure_count(db, erasure->errand, "Inquiries", db_changes(db));
    run_for(db, db_prepare(db, "UPDATE comment SET text = '' WHERE inquiry = ?"), id);
    erasure_count(db, erasure->errand, "Comments", db_changes(db));
    run_for(db, db_prepare(db, "UPDATE inquiry_step SET words = '' WHERE inquiry = ?"), id);
    struct stmt *words =
        db_prepare(db, "UPDATE inquiry_words SET words = '' WHERE inquiry = ?1 AND "
                       "account IN (SELECT partner FROM inquiry WHERE id = ?1 "
                       "UNION SELECT brand FROM inquiry WHERE id = ?1)");
    run_for(db, words, id);
    return true;
}

static bool take_action(struct job *job, struct db *db, const struct erasure *erasure, int64_t id)
{
    (void)job;
    run_for(db,
            db_prepare(db, "UPDATE action SET order_id = 'erased-' || id, customer_id = '', "
                           "promo_code = '', sub_id1 = '', sub_id2 = '', sub_id3 = '', "
                           "shared_id = '' WHERE id = ?"),
            id);
    erasure_count(db, erasure->errand, "Actions", db_changes(db));
    return true;
}

bool erasure_take(struct job *job, struct db *db, const struct erasure *erasure,
                  enum erasure_place place, int64_t id)
{
    static bool (*const takes[ERASURE_JOBS])(struct job *, struct db *, const struct erasure *,
                                             int64_t) = {
        [ERASURE_FINDS_INQUIRIES] = take_found_inquiry,
        [ERASURE_FINDS_ACTIONS] = take_found_action,
        [ERASURE_EVENTS] = take_event,
        [ERASURE_AUDIT] = take_audit,
        [ERASURE_NOTICES] = take_notice,
        [ERASURE_INQUIRIES] = take_inquiry,
        [ERASURE_ACTIONS] = take_action,
    };
    return takes[place](job, db, erasure, id);
}

void erasure_begin(struct db *db, const struct erasure *erasure)
{
    found_add_id(db, erasure->errand, FOUND_ACCOUNT, erasure->account);
    found_add(db, erasure->errand, FOUND_WORD,
              erasure->customer != NULL ? erasure->customer : erasure->order);
}
