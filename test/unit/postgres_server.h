/* postgres_server.h — a PostgreSQL of the test program's own, in a temporary folder, on a Unix
 * socket alone.  It stands as it is shipped (fsync on), runs under an unprivileged user, and is
 * gone with the program, however that ends.
 *
 * One server a program, one schema of its database a test: postgres_server_start() in the group's
 * setup, postgres_server_schema() in the test's.
 */
#ifndef POSTBACKD_TEST_POSTGRES_SERVER_H
#define POSTBACKD_TEST_POSTGRES_SERVER_H

#include "base/buf.h"
#include "base/fail.h"
#include "until.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    char folder[64];   /* holds the socket, the log and the data */
    char programs[96]; /* where PostgreSQL's are */
    pid_t pid;         /* 0: does not run */
    int schemas;
    bool careless; /* to be set before the start: no fsync, where no test is about loss */
} postgres_server;

/* PostgreSQL refuses to run as root. */
static inline void postgres_server_become_user(void)
{
    const struct passwd *user = getpwnam("postgres");
    if (getuid() != 0)
        return;
    if (user == NULL || setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 ||
        setuid(user->pw_uid) != 0)
        _exit(126);
}

/* Starts a program of PostgreSQL's, which ends when this one does; its output goes to the log. */
static inline pid_t postgres_server_run(const char *program, char **arguments)
{
    char path[160], log[96];
    pid_t parent = getpid();

    snprintf(path, sizeof(path), "%s/%s", postgres_server.programs, program);
    snprintf(log, sizeof(log), "%s/log", postgres_server.folder);
    fflush(NULL);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    postgres_server_become_user();
    prctl(PR_SET_PDEATHSIG, SIGQUIT); /* an immediate end; after setuid(), which forgets it */
    if (getppid() != parent)
        _exit(125);
    int output = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (output == -1 || dup2(output, 1) == -1 || dup2(output, 2) == -1 || chdir("/") != 0)
        _exit(124);
    unsetenv("ASAN_OPTIONS");
    arguments[0] = path; /* by which it finds the others */
    execv(path, arguments);
    _exit(127);
}

static inline void postgres_server_show_log(void)
{
    char log[96], line[512];
    snprintf(log, sizeof(log), "%s/log", postgres_server.folder);
    FILE *file = fopen(log, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        fputs(line, stderr);
    if (file != NULL)
        fclose(file);
}

/* The newest version's programs. */
static inline bool postgres_server_find(void)
{
    glob_t found;
    bool is_there = glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) == 0;
    if (is_there)
        snprintf(postgres_server.programs, sizeof(postgres_server.programs), "%.*s",
                 (int)(strlen(found.gl_pathv[found.gl_pathc - 1]) - strlen("/postgres")),
                 found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
    return is_there;
}

/* Of a connection that has the schema of this name before its eyes, over the socket in that folder.
 */
static inline void postgres_server_uri(char out[300], const char *folder, const char *name)
{
    snprintf(out, 300,
             "postgresql:///postgres?host=%s&user=postgres&options=-csearch_path%%3D%%22%s%%22"
             "%%20-cclient_min_messages%%3Dwarning",
             folder, name);
}

static inline bool postgres_server_answers(void)
{
    char uri[300];
    postgres_server_uri(uri, postgres_server.folder, "public");
    return PQping(uri) == PQPING_OK;
}

/* Once more, after postgres_server_kill(): on the same data. */
static inline void postgres_server_boot(void)
{
    char data[96];
    snprintf(data, sizeof(data), "%s/data", postgres_server.folder);
    char sync[16];
    snprintf(sync, sizeof(sync), "fsync=%s", postgres_server.careless ? "off" : "on");
    char *arguments[] = { "postgres",
                          "-D",
                          data,
                          "-k",
                          postgres_server.folder,
                          "-c",
                          "listen_addresses=",
                          "-c",
                          "max_connections=30",
                          "-c",
                          "shared_buffers=16MB",
                          "-c",
                          "autovacuum=off",
                          "-c",
                          "wal_writer_delay=10s",
                          "-c",
                          sync,
                          NULL };
    postgres_server.pid = postgres_server_run("postgres", arguments);
    UNTIL(postgres_server_answers());
}

static inline int postgres_server_remove(const char *path, const struct stat *about, int kind,
                                         struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline int postgres_server_start(void **state)
{
    char data[96];
    const struct passwd *user = getpwnam("postgres");
    int status;

    (void)state;
    if (!postgres_server_find()) {
        fprintf(stderr, "PostgreSQL is missing; script/deps test installs it\n");
        return -1;
    }
    snprintf(postgres_server.folder, sizeof(postgres_server.folder),
             "/tmp/postbackd-postgres-XXXXXX");
    if (mkdtemp(postgres_server.folder) == NULL)
        return -1;
    if (getuid() == 0 &&
        (user == NULL || chown(postgres_server.folder, user->pw_uid, user->pw_gid) != 0))
        return -1;
    snprintf(data, sizeof(data), "%s/data", postgres_server.folder);
    char *arguments[] = { "initdb", "-D", data,   "-U",         "postgres",  "-A",
                          "trust",  "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions",
                          NULL };
    pid_t pid = postgres_server_run("initdb", arguments);
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        postgres_server_show_log();
        return -1;
    }
    postgres_server_boot();
    return 0;
}

/* As a power cut ends it: nothing is written any more. */
static inline void postgres_server_kill(void)
{
    int status;
    kill(postgres_server.pid, SIGQUIT);
    waitpid(postgres_server.pid, &status, 0);
    postgres_server.pid = 0;
}

static inline int postgres_server_stop(void **state)
{
    (void)state;
    if (postgres_server.pid > 0)
        postgres_server_kill();
    nftw(postgres_server.folder, postgres_server_remove, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

/* Runs SQL there, on a connection of its own.  The first row's first column, or "". */
static inline const char *postgres_server_sql(const char *name, const char *sql)
{
    static char value[200];
    char uri[300];
    postgres_server_uri(uri, postgres_server.folder, name);
    PGconn *conn = PQconnectdb(uri);
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        fprintf(stderr, "%s: %s\n", sql, PQerrorMessage(conn));
        abort();
    }
    snprintf(value, sizeof(value), "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(conn);
    return value;
}

static inline void postgres_server_end(void)
{
    postgres_server_stop(NULL);
}

/* For a program without a group's setup: it ends with the program. */
static inline void postgres_server_need(bool careless)
{
    if (postgres_server.pid != 0)
        return;
    postgres_server.careless = careless;
    if (postgres_server_start(NULL) != 0 || atexit(postgres_server_end) != 0)
        die("PostgreSQL cannot be started");
}

/* The name of a new and empty schema. */
static inline const char *postgres_server_schema(void)
{
    static char name[32];
    char sql[64];
    snprintf(name, sizeof(name), "test%d", ++postgres_server.schemas);
    snprintf(sql, sizeof(sql), "CREATE SCHEMA %s", name);
    postgres_server_sql("public", sql);
    return name;
}

#endif
