/* load.c — the bench's load: POSTs events over kept-alive connections.
 *
 *   load --port N [--path P] [--authorization TEXT] [--sid SID[,SID…]] [--connections N]
 *        [--seconds S] [--rate N] [--batch N]
 *
 * Without --rate each connection sends its next event when the last was answered; with it, events
 * are sent at that pace over all connections.  Each event holds the time of its sending as its
 * CustomerId.  Prints JSON.
 */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

struct load {
    int epoll, batch;
    const char *path, *authorization;
    char *sids[1024];
    int sid_count, next_sid;
    int64_t sent, accepted, refused;
    struct quantiles latencies;
};

struct client {
    bool waiting;
    int64_t sent_us;
};

static const char event_form[] =
    "{\"Type\":\"action.tracked\",\"AccountSids\":[\"%s\"],\"Data\":{"
    "\"CampaignId\":\"1000\",\"CampaignName\":\"Acme Autumn\",\"ActionTrackerId\":\"2000\","
    "\"ActionTrackerName\":\"Online sale\",\"MediaPartnerId\":\"3000\","
    "\"MediaPartnerName\":\"Cashback Corner\",\"ActionId\":\"%lld\",\"Oid\":\"A-%lld\","
    "\"Status\":\"PENDING\",\"Payout\":\"4.50\",\"Amount\":\"89.90\",\"Currency\":\"EUR\","
    "\"EventDate\":\"2026-01-15T10:00:00+00:00\",\"CustomerId\":\"%lld\"}}";

static void send_next(struct load *load, struct conn *conn)
{
    static char body[1 << 20];
    char head[1024];
    struct client *client = conn->data;
    int64_t now = now_us();
    int len = 0;
    if (load->batch > 1)
        len += sprintf(body + len, "{\"Events\":[");
    for (int i = 0; i < load->batch; i++) {
        const char *sid = load->sids[load->next_sid++ % load->sid_count];
        len += sprintf(body + len, i > 0 ? "," : "%s", "");
        len += snprintf(body + len, sizeof(body) - (size_t)len, event_form, sid,
                        (long long)load->sent, (long long)load->sent, (long long)now);
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
    client->sent_us = now;
    if (!conn_flush(load->epoll, conn))
        fail("the server closed a connection");
}

static void take_answer(struct load *load, struct conn *conn, size_t len)
{
    struct client *client = conn->data;
    bool ok = strncmp(conn->in, "HTTP/1.1 202", 12) == 0;
    if (!ok && load->refused == 0)
        fprintf(stderr, "refused: %.*s\n", (int)len, conn->in);
    load->accepted += ok ? load->batch : 0;
    load->refused += ok ? 0 : load->batch;
    quantiles_add(&load->latencies, now_us() - client->sent_us);
    client->waiting = false;
    message_drop(conn, len);
}

static struct conn *idle(struct conn **conns, int count, int *from)
{
    for (int i = 0; i < count; i++) {
        struct conn *conn = conns[(*from + i) % count];
        if (!((struct client *)conn->data)->waiting) {
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

int main(int argc, char **argv)
{
    struct load load = { .epoll = epoll_create1(0),
                         .batch = atoi(flag(argc, argv, "--batch", "1")),
                         .path = flag(argc, argv, "--path", "/Events"),
                         .authorization = flag(argc, argv, "--authorization", "none") };
    int count = atoi(flag(argc, argv, "--connections", "128"));
    int port = atoi(flag(argc, argv, "--port", "0")), from = 0;
    double rate = atof(flag(argc, argv, "--rate", "0"));
    read_sids(&load, flag(argc, argv, "--sid", "none"));
    struct conn **conns = calloc((size_t)count, sizeof(*conns));
    for (int i = 0; i < count; i++)
        conns[i] = conn_new(load.epoll, connect_to(port), calloc(1, sizeof(struct client)));
    int64_t start = now_us(),
            end = start + (int64_t)(1e6 * atof(flag(argc, argv, "--seconds", "5")));
    for (int i = 0; i < count && rate == 0; i++)
        send_next(&load, conns[i]);
    struct epoll_event events[256];
    int64_t open = 0;
    do {
        int ready = epoll_wait(load.epoll, events, 256, rate > 0 ? 1 : 100);
        for (int i = 0; i < ready; i++) {
            struct conn *conn = events[i].data.ptr;
            const char *body;
            size_t body_len, len;
            if ((events[i].events & (EPOLLIN | EPOLLHUP)) != 0 && !conn_read(conn))
                fail("the server closed a connection");
            conn_flush(load.epoll, conn);
            while ((len = message_whole(conn, &body, &body_len)) != 0) {
                take_answer(&load, conn, len);
                if (rate == 0 && now_us() < end)
                    send_next(&load, conn);
            }
        }
        int64_t now = now_us();
        struct conn *conn;
        while (rate > 0 && now < end && (double)load.sent < rate * (double)(now - start) / 1e6 &&
               (conn = idle(conns, count, &from)) != NULL)
            send_next(&load, conn);
        open = 0;
        for (int i = 0; i < count; i++)
            open += ((struct client *)conns[i]->data)->waiting;
    } while (now_us() < end || (open > 0 && now_us() < end + 10000000));
    print(&load, (double)(now_us() - start) / 1e6);
    return load.refused == 0 ? 0 : 1;
}
