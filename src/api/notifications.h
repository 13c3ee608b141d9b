/* notifications.h — an account's event notifications: what the files of this resource share.
 * notifications.c has the routes. */
#ifndef POSTBACKD_API_NOTIFICATIONS_H
#define POSTBACKD_API_NOTIFICATIONS_H

#include "api/api.h"
#include "model/event.h"
#include "model/notification.h"

enum { NOTIFICATIONS_MOST = 10000 /* an account's */ };

struct notification_work {
    struct api_job api;
    int64_t id; /* {Id} of the path; 0: none */
    json_t *body;
    int64_t rests_on; /* the revision that a change is for (api/revisions.h) */
    struct notification *notification;
    struct event *event;           /* of a trial */
    enum notification_state state; /* to be set */
    char base[API_BASE_TEXT];
};

/* A job for one notification, named by the path if it has an {Id}.  NULL: that is no id, and the
 * call is answered 404.  `body` is taken. */
struct notification_work *notification_work_new(struct call *call, void *context, json_t *body,
                                                bool (*run)(struct api_job *, struct db *),
                                                void (*finish)(struct api_job *));
/* The same for a struct of `size` bytes that begins with one. */
struct notification_work *notification_work_sized(size_t size, struct call *call, void *context,
                                                  json_t *body,
                                                  bool (*run)(struct api_job *, struct db *),
                                                  void (*finish)(struct api_job *));
struct notification_work *notification_work_of(struct api_job *job);
/* Loads the job's own; false: not this account's (ERROR_NOT_FOUND). */
bool notification_work_load(struct notification_work *work, struct db *db);
bool notification_not_found(struct notification_work *work); /* sets the error; false */
/* "notification.change" and so on, with the revision and what else there is to say (taken; NULL).
 */
void notification_audit(struct notification_work *work, struct db *db, const char *action,
                        json_t *detail);

/* The API's object. */
json_t *notification_show(const struct notification *notification, const char *base);

/* notification_credentials.c: a notice to the account and to the operator when custom headers or
 * the TLS identity wait, unless one like it is unread. */
void notification_credentials_tell(struct db *db, const struct notification *notification);

/* What is not a setting (id, state, secrets, credentials, …) goes over from the one that is there
 * to the one made of its changed settings. */
void notification_carry_over(struct notification *to, struct notification *from);

/* notification_secrets.c */
void notification_show_secret(struct call *call, void *context);
void notification_rotate_secret(struct call *call, void *context);
/* Sets SigningSecret in an answer. */
void notification_set_secret(json_t *answer, const struct signing_secret *secret);

/* notification_health.c */
void notification_health(struct call *call, void *context);

/* notification_trials.c */
void notification_test(struct call *call, void *context); /* …/{Id}/Test, and …/Test of a new one */
void notification_preview(struct call *call, void *context);

#endif
