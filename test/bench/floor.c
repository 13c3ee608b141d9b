/* floor.c — what the machine can do: the same road with no feature on it.
 *
 *   floor --receiver PORT --file PATH
 *
 * One thread, epoll: reads a POST, appends its body to a file, fdatasync once a turn, answers 202,
 * sends the body on over kept-alive connections.  Prints its port.
 */
#include "wire.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ONWARD = 128, TURN = 1024 };

struct floor {
    int epoll, file, receiver;
    struct conn *idle[ONWARD];
    int idle_count, onward_count;
    char *queue; /* bodies that wait for a connection, length before each */
    size_t queue_len, queue_cap, queue_at;
    struct conn *to_answer[TURN];
    int to_answer_count;
};

static char onward_mark; /* conn->data of a connection to the receiver */

static void send_on(struct floor *floor, struct conn *conn, const char *body, size_t len)
{
    char head[200];
    int head_len = snprintf(head, sizeof(head),
                            "POST /postbacks HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                            "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                            len);
    conn_put(conn, head, (size_t)head_len);
    conn_put(conn, body, len);
    conn_flush(floor->epoll, conn);
}

static void drain(struct floor *floor)
{
    while (floor->queue_at < floor->queue_len) {
        if (floor->idle_count == 0 && floor->onward_count == ONWARD)
            return;
        size_t len;
        memcpy(&len, floor->queue + floor->queue_at, sizeof(len));
        struct conn *conn;
        if (floor->idle_count > 0) {
            conn = floor->idle[--floor->idle_count];
        } else {
            conn = conn_new(floor->epoll, connect_to(floor->receiver), &onward_mark);
            floor->onward_count++;
        }
        send_on(floor, conn, floor->queue + floor->queue_at + sizeof(len), len);
        floor->queue_at += sizeof(len) + len;
    }
    floor->queue_at = floor->queue_len = 0;
}

static void put_queue(struct floor *floor, const char *body, size_t len)
{
    while (floor->queue_cap - floor->queue_len < len + sizeof(len))
        floor->queue =
            realloc(floor->queue,
                    floor->queue_cap = floor->queue_cap != 0 ? floor->queue_cap * 2 : 1 << 20);
    memcpy(floor->queue + floor->queue_len, &len, sizeof(len));
    memcpy(floor->queue + floor->queue_len + sizeof(len), body, len);
    floor->queue_len += sizeof(len) + len;
}

static void end_turn(struct floor *floor, size_t turn_start)
{
    static const char answer[] = "HTTP/1.1 202 Accepted\r\nContent-Length: 15\r\n\r\n"
                                 "{\"Status\":\"OK\"}";
    if (floor->to_answer_count > 0) {
        size_t len = floor->queue_len - turn_start;
        if (write(floor->file, floor->queue + turn_start, len) != (ssize_t)len ||
            fdatasync(floor->file) == -1)
            fail("file");
        for (int i = 0; i < floor->to_answer_count; i++) {
            conn_put(floor->to_answer[i], answer, sizeof(answer) - 1);
            conn_flush(floor->epoll, floor->to_answer[i]);
        }
        floor->to_answer_count = 0;
    }
    drain(floor);
}

static bool handle(struct floor *floor, struct conn *conn)
{
    const char *body;
    size_t body_len, len;
    if (!conn_read(conn))
        return false;
    while ((len = message_whole(conn, &body, &body_len)) != 0) {
        if (conn->data == &onward_mark) {
            floor->idle[floor->idle_count++] = conn;
        } else {
            put_queue(floor, body, body_len);
            floor->to_answer[floor->to_answer_count++] = conn;
        }
        message_drop(conn, len);
    }
    return true;
}

int main(int argc, char **argv)
{
    struct floor floor = { .epoll = epoll_create1(0),
                           .receiver = atoi(flag(argc, argv, "--receiver", "0")) };
    int port, listener = listen_on(0, &port);
    struct epoll_event event = { .events = EPOLLIN }, events[256];
    floor.file = open(flag(argc, argv, "--file", "floor.log"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (floor.file == -1)
        fail("file");
    epoll_ctl(floor.epoll, EPOLL_CTL_ADD, listener, &event);
    printf("%d\n", port);
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(floor.epoll, events, 256, -1);
        size_t turn_start = floor.queue_len;
        for (int i = 0; i < count; i++) {
            struct conn *conn = events[i].data.ptr;
            if (conn == NULL) {
                int fd = accept(listener, NULL, NULL);
                if (fd != -1)
                    conn_new(floor.epoll, fd, NULL);
            } else if ((events[i].events & EPOLLIN) != 0 && !handle(&floor, conn)) {
                conn_free(conn);
            } else if ((events[i].events & EPOLLOUT) != 0) {
                conn_flush(floor.epoll, conn);
            }
        }
        end_turn(&floor, turn_start);
    }
}
