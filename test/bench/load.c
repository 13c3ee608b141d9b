/* load.c — the bench's load: POSTs events over kept-alive connections.
 *
 *   load --port N [--path P] [--authorization TEXT] [--sid SID[,SID…]] [--connections N]
 *        [--seconds S] [--rate N] [--batch N] [--count N] [--accepted FILE] [--survive 1]
 *
 * Without --rate each connection sends its next event when the last was answered; with it, events
 * are sent at that pace over all connections.  --count ends it when so many were sent.  Each
 * event holds its number as its ActionId and the time of its sending as its CustomerId (of when it
 * was due, where it had to wait for a connection); --accepted writes the numbers of those answered
 * 202.  A connection that is answered 503 rests for a second (without --rate), as Retry-After asks.
 * --survive connects again when the server goes away, and ends on SIGTERM as well.  Prints JSON.
 */
#include "wire.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

struct load {
    int epoll, batch, port, count;
    bool survive;
    FILE *numbers;
    struct conn **conns;
    const char *path, *authorization;
    char *sids[1024];
    int sid_count, next_sid;
    int from;                      /* the connection that is looked at first */
    bool held;                     /* what is due waits for a connection */
    int missing, resting, waiting; /* connections that are not open, rest, wait for an answer */
    int64_t sent, accepted, refused;
    struct quantiles latencies;
};

struct client {
    int at; /* in load->conns */
    bool waiting;
    int64_t sent_us, first; /* the number of the first event in flight */
    int64_t rests_us;       /* refused with 503: until when, as Retry-After said; 0: no */
};

static volatile sig_atomic_t ended;

static void end_now(int number)
{
    (void)number;
    ended = 1;
}

static const char event_form[] =
    "{\"Type\":\"action.tracked\",\"AccountSids\":[\"%s\"],\"Data\":{"
    "\"CampaignId\":\"1000\",\"CampaignName\":\"Acme Autumn\",\"ActionTrackerId\":\"2000\","
    "\"ActionTrackerName\":\"Online sale\",\"MediaPartnerId\":\"3000\","
    "\"MediaPartnerName\":\"Cashback Corner\",\"ActionId\":\"%lld\",\"Oid\":\"A-%lld\","
    "\"Status\":\"PENDING\",\"Payout\":\"4.50\",\"Amount\":\"89.90\",\"Currency\":\"EUR\","
    "\"EventDate\":\"2026-01-15T10:00:00+00:00\",\"CustomerId\":\"%lld\"}}";

static void open_conn(struct load *load, int at)
{
    int fd = load->survive ? connect_try(load->port) : connect_to(load->port);
    if (fd == -1)
        return; /* the next turn tries again */
    struct client *client = calloc(1, sizeof(*client));
    client->at = at;
    load->conns[at] = conn_new(load->epoll, fd, client);
    load->missing--;
}

static void lost(struct load *load, struct conn *conn)
{
    struct client *client = conn->data;
    if (!load->survive)
        fail("the server closed a connection");
    load->conns[client->at] = NULL;
    load->missing++;
    load->waiting -= client->waiting;
    load->resting -= client->rests_us != 0;
    conn_free(conn);
    free(client);
}

static void send_next(struct load *load, struct conn *conn, int64_t from_us)
{
    static char body[1 << 20];
    char head[1024];
    struct client *client = conn->data;
    int len = 0;
    client->first = load->sent;
    if (load->batch > 1)
        len += sprintf(body + len, "{\"Events\":[");
    for (int i = 0; i < load->batch; i++) {
        const char *sid = load->sids[load->next_sid++ % load->sid_count];
        len += sprintf(body + len, i > 0 ? "," : "%s", "");
        len += snprintf(body + len, sizeof(body) - (size_t)len, event_form, sid,
                        (long long)load->sent, (long long)load->sent, (long long)from_us);
        load->sent++;
    }
    if (load->batch > 1)
        len += sprintf(body + len, "]}");
    int head_len = snprintf(head, sizeof(head),
                            "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: %s\r\n"
                            "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n",
                            load->path, load->authorization, len);
    conn_put(conn, head, (size_t)head_len);
    conn_put(conn, body, (size_t)len);
    client->waiting = true;
    client->sent_us = from_us;
    load->waiting++;
    conn_flush(load->epoll, conn); /* a broken one is found by the next read */
}

static void take_answer(struct load *load, struct conn *conn, size_t len)
{
    struct client *client = conn->data;
    bool ok = strncmp(conn->in, "HTTP/1.1 202", 12) == 0;
    if (!ok && load->refused == 0)
        fprintf(stderr, "refused: %.*s\n", (int)strcspn(conn->in, "\r"), conn->in);
    load->accepted += ok ? load->batch : 0;
    load->refused += ok ? 0 : load->batch;
    for (int i = 0; ok && load->numbers != NULL && i < load->batch; i++)
        fprintf(load->numbers, "%lld\n", (long long)(client->first + i));
    quantiles_add(&load->latencies, now_us() - client->sent_us);
    client->waiting = false;
    load->waiting--;
    if (strncmp(conn->in, "HTTP/1.1 503", 12) == 0 && client->rests_us == 0) {
        client->rests_us = now_us() + 1000000;
        load->resting++;
    }
    message_drop(conn, len);
}

static struct conn *idle(struct conn **conns, int count, int *from)
{
    for (int i = 0; i < count; i++) {
        struct conn *conn = conns[(*from + i) % count];
        if (conn != NULL && !((struct client *)conn->data)->waiting) {
            *from = (*from + i + 1) % count;
            return conn;
        }
    }
    return NULL;
}

static void print(struct load *load, double seconds)
{
    printf("{\"accepted\":%lld,\"refused\":%lld,\"seconds\":%.3f,\"rate\":%.0f,\"p50_us\":%lld,"
           "\"p99_us\":%lld}\n",
           (long long)load->accepted, (long long)load->refused, seconds,
           (double)load->accepted / seconds, (long long)quantile(&load->latencies, 0.5),
           (long long)quantile(&load->latencies, 0.99));
}

static void read_sids(struct load *load, const char *text)
{
    char *copy = strdup(text);
    for (char *sid = copy; *sid != '\0' && load->sid_count < 1024;) {
        size_t len = strcspn(sid, ",");
        load->sids[load->sid_count++] = sid;
        bool more = sid[len] == ',';
        sid[len] = '\0';
        sid += len + more;
    }
}

static void take_ready(struct load *load, struct epoll_event *event, bool again)
{
    struct conn *conn = event->data.ptr;
    const char *body;
    size_t body_len, len;
    if (((event->events & ~(unsigned)EPOLLOUT) != 0 && !conn_read(conn)) ||
        !conn_flush(load->epoll, conn)) {
        lost(load, conn);
        return;
    }
    while ((len = message_whole(conn, &body, &body_len)) != 0) {
        take_answer(load, conn, len);
        if (again && ((struct client *)conn->data)->rests_us == 0)
            send_next(load, conn, now_us());
    }
}

static bool has_rested(const struct client *client)
{
    return client->rests_us != 0 && !client->waiting && now_us() >= client->rests_us;
}

/* Opens what is not open and wakes what has rested. */
static void look_at_all(struct load *load, bool send)
{
    for (int i = 0; i < load->count && load->missing + load->resting > 0; i++) {
        bool fresh = load->conns[i] == NULL;
        if (fresh)
            open_conn(load, i);
        if (load->conns[i] == NULL)
            continue;
        struct client *client = load->conns[i]->data;
        if (send && (fresh || has_rested(client))) {
            load->resting -= client->rests_us != 0;
            client->rests_us = 0;
            send_next(load, load->conns[i], now_us());
        }
    }
}

/* What is due at `rate` since `start`, `most` in all. */
static void send_due(struct load *load, double rate, int64_t most, int64_t start, int64_t now)
{
    struct conn *conn;
    for (;;) {
        int64_t due = start + (int64_t)((double)load->sent / rate * 1e6);
        if (due >= now || (most != 0 && load->sent >= most)) {
            load->held = false;
            return;
        }
        if ((conn = idle(load->conns, load->count, &load->from)) == NULL) {
            load->held = true;
            return;
        }
        send_next(load, conn, load->held ? due : now);
    }
}

static void run(struct load *load, double seconds, double rate, int64_t most)
{
    struct epoll_event events[256];
    look_at_all(load, rate == 0);
    int64_t start = now_us(), end = start + (int64_t)(1e6 * seconds), now = start;
    bool more = true;
    do {
        int ready = epoll_wait(load->epoll, events, 256, rate > 0 ? 1 : load->survive ? 5 : 100);
        for (int i = 0; i < ready; i++)
            take_ready(load, &events[i], more && rate == 0);
        now = now_us();
        more = now < end && !ended && (most == 0 || load->sent < most);
        if (more && rate > 0)
            send_due(load, rate, most, start, now);
        look_at_all(load, more && rate == 0);
    } while (more || (load->waiting > 0 && now < end + 10000000));
    print(load, (double)(now_us() - start) / 1e6);
}

int main(int argc, char **argv)
{
    struct load load = { .epoll = epoll_create1(0),
                         .batch = atoi(flag(argc, argv, "--batch", "1")),
                         .port = atoi(flag(argc, argv, "--port", "0")),
                         .count = atoi(flag(argc, argv, "--connections", "128")),
                         .survive = atoi(flag(argc, argv, "--survive", "0")) != 0,
                         .path = flag(argc, argv, "--path", "/Events"),
                         .authorization = flag(argc, argv, "--authorization", "none") };
    const char *numbers = flag(argc, argv, "--accepted", NULL);
    if (numbers != NULL && (load.numbers = fopen(numbers, "w")) == NULL)
        fail(numbers);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, end_now);
    read_sids(&load, flag(argc, argv, "--sid", "none"));
    load.conns = calloc((size_t)load.count, sizeof(struct conn *));
    load.missing = load.count;
    run(&load, atof(flag(argc, argv, "--seconds", "5")), atof(flag(argc, argv, "--rate", "0")),
        atoll(flag(argc, argv, "--count", "0")));
    if (load.numbers != NULL && fclose(load.numbers) != 0)
        fail(numbers);
    return load.refused == 0 ? 0 : 1;
}
