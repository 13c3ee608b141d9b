/* config.h — every setting in one table: its flag, variable, file key, default, check and help.
 *
 * Precedence: flag, then POSTBACKD_* variable, then the file (INI), then the default.
 */
#ifndef POSTBACKD_CONFIG_H
#define POSTBACKD_CONFIG_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONFIG_LIST_MAX = 64 };

struct text_list {
    char *items[CONFIG_LIST_MAX];
    size_t count;
};

struct config {                     /* strings are owned */
    char *data;                     /* --data DIR */
    char *store;                    /* --store URI, maybe with a password; NULL: DATA's file */
    char *store_password_file;      /* --store-password-file FILE */
    char *key_file;                 /* --key-file FILE; NULL: DATA/secret.key */
    char *listen;                   /* --listen ADDR:PORT */
    struct text_list allow_egress;  /* --allow-egress CIDR, any number */
    struct text_list portal_origin; /* --portal-origin ORIGIN, any number */
    struct text_list trusted_proxy; /* --trusted-proxy CIDR, any number */
    char *public_url;               /* --public-url URL; NULL: not known */
    char *file;                     /* --config FILE */
    char *egress_proxy;             /* --egress-proxy URL, with its password; NULL: none */
    char *ca_file;                  /* --ca-file FILE */
    char *name_servers;             /* --name-servers ADDR:PORT,…; NULL: the system's */
    char *log_format;               /* --log-format text|json */
    char *log_level;                /* --log-level debug|info|warn|error */
    int64_t rate_limit;             /* --rate-limit N an hour and account; 0: none */
    int64_t deadline_s;             /* --deadline S for one attempt */
    int64_t drain_s;                /* --drain S at SIGTERM */
    char *trust_clock;              /* --trust-clock no|yes */
    int64_t node;                   /* --node N; of a store on PostgreSQL 0, for it gives them */
    char *sendmail;                 /* --sendmail PATH; NULL: no mail */
    int64_t give_up_s;              /* --give-up-after S: an undelivered postback; 0: never */
    int64_t late_s;                 /* --late-after S: shown as late */
    int64_t alarm_s;                /* --alarm-after S: account and operator are told */
    int64_t keep_days;              /* --keep-days N of what has ended; 0: for ever */
    int64_t account_waiting, account_waiting_bytes; /* of an account's; 0: no limit */
    int64_t disk_alarm;                             /* --disk-alarm BYTES that are free; 0: none */
};

/* Reads flags from argv (argc, argv without the command), variables and the file.  0; -1 with
 * *error that names the setting, where it stood, and what would be right; 1: help was asked for. */
int config_read(struct config *config, int argc, char **argv, struct error *error);
void config_free(struct config *config);
/* Whether a database's address holds a password, which has no place in a process list. */
bool config_has_password(const char *uri);
void config_help(struct buf *out); /* the table as a person reads it */

#endif
