/* inquiry_words.c — two rows of inquiry_words for each inquiry, its brand's and its partner's. */
#include "store/inquiry_words.h"

#include "base/fold.h"

#include <string.h>

static void add(struct buf *words, const char *text)
{
    size_t room = words->len < INQUIRY_WORDS_BYTES ? INQUIRY_WORDS_BYTES - words->len : 0;

    if (text == NULL || text[0] == '\0')
        return;
    fold_add(words, text, strlen(text), room);
    buf_add(words, "\n", 1);
}

static void write_for(struct db *db, const struct inquiry *inquiry, int64_t account, bool brands)
{
    struct buf words = { 0 };
    struct stmt *write =
        db_prepare(db, "INSERT INTO inquiry_words (account, inquiry, words) VALUES (?, ?, ?) "
                       "ON CONFLICT (account, inquiry) DO UPDATE SET words = excluded.words");

    add(&words, inquiry->order_id);
    if (!brands) {
        add(&words, inquiry->reference);
        add(&words, inquiry->customer_id);
        add(&words, inquiry->notes);
    } else {
        add(&words, inquiry->partner_name);
    }
    add(&words, inquiry->promo_code);
    add(&words, inquiry->resolution_notes);
    for (size_t i = inquiry->comment_count; i > 0; i--) /* the newest are sure to be in it */
        add(&words, inquiry->comments[i - 1].text);
    db_bind_int(write, 1, account);
    db_bind_int(write, 2, inquiry->id);
    db_bind_text(write, 3, buf_text(&words));
    db_run(db, write);
    buf_free(&words);
}

void inquiry_words_write(struct db *db, const struct inquiry *inquiry)
{
    write_for(db, inquiry, inquiry->brand, true);
    write_for(db, inquiry, inquiry->partner, false);
}

void inquiry_words_where(struct where *where, int64_t account, const char *text,
                         struct buf *pattern)
{
    struct buf folded = { 0 };

    fold_add(&folded, text, strlen(text), strlen(text));
    buf_str(pattern, "%");
    for (const char *at = buf_text(&folded); *at != '\0'; at++) {
        if (*at == '%' || *at == '_' || *at == '!')
            buf_add(pattern, "!", 1);
        buf_add(pattern, at, 1);
    }
    buf_str(pattern, "%");
    buf_free(&folded);
    buf_str(&where->sql, "UNION ALL SELECT inquiry FROM (SELECT inquiry, words FROM inquiry_words "
                         "WHERE account = ? ORDER BY inquiry DESC LIMIT ?) AS newest "
                         "WHERE words LIKE ? ESCAPE '!' ");
    where_value(where, account, NULL);
    where_value(where, INQUIRY_WORDS_INQUIRIES, NULL);
    where_value(where, 0, buf_text(pattern));
}
