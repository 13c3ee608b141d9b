/* feed_settings.h — an event notification's settings as its feed has them: read from disk when they
 * are first needed, and again when they have changed.
 */
#ifndef POSTBACKD_FEED_SETTINGS_H
#define POSTBACKD_FEED_SETTINGS_H

#include "engine/work.h"
#include "model/notification.h"

struct settings_read { /* the end of a read */
    bool ok;           /* the store could be read; else `now` is NULL for that reason */
    bool again;        /* they were asked for meanwhile: another read is under way */
    bool turned;       /* it is Ordered now and was not, or the other way round */
};

struct feed_settings {
    struct notification *now; /* one reference; NULL: not read yet, deleted, or unreadable */
    bool reading, read_again;
    struct work *work;
    int64_t notification;
    void (*read)(void *context, const struct settings_read *read);
    void *context;
};

void feed_settings_init(struct feed_settings *settings, struct work *work, int64_t notification,
                        void (*read)(void *context, const struct settings_read *read),
                        void *context);
void feed_settings_free(struct feed_settings *settings);

/* Reads them, or once more if that is under way; not once the engine is stopping. */
void feed_settings_load(struct feed_settings *settings);
/* They are there, and no others are on their way. */
bool feed_settings_stand(const struct feed_settings *settings);
bool feed_settings_active(const struct feed_settings *settings); /* neither paused nor held */
bool feed_settings_ordered(const struct feed_settings *settings);

#endif
