/* pieces.c — an answer that goes out a piece at a time, as its source has read it.
 *
 * The request stays the peer's until the end, so nothing is parsed behind it.  It is always in one
 * of three places: with its source, which was asked (`asked`, and it is held); on its way out (the
 * peer has to send, and its time limit runs); or in line for the loop's next turn.
 *
 * The rule that must never break: the source is called from the loop's own turn alone and is never
 * asked twice at once, and what ends the answer while it is asked waits until it has given.
 */
#include "server/inbound.h"

#include "base/fail.h"
#include "base/log.h"
#include "base/metrics.h"

#include <string.h>
#include <sys/uio.h>

/* Headers and chunk size; the bytes; the end of the chunk. */
enum { PARTS = 3 };

void call_answer_in_pieces(struct call *call, int status, const char *type,
                           const struct call_source *source, void *data)
{
    struct inbound *in = inbound_of(call);
    if (in->answered || in->stage != STAGE_HANDLING)
        bug("%s %s is answered twice", call->method, call->target);
    in->answered = true;
    in->stage = STAGE_PIECES;
    in->status = status;
    in->type = type;
    in->pieces = (struct pieces){ .source = source, .data = data };
    in->held = false;
    in->server->held--;
    peer_go_on_later(in->peer);
}

/* The call is with the loop again. */
static void took_back(struct inbound *in)
{
    if (in->stage != STAGE_PIECES || !in->pieces.asked)
        bug("%s %s: a piece that nobody asked for", in->call.method, in->call.target);
    in->pieces.asked = false;
    in->held = false;
    in->server->held--;
}

static void begin(struct inbound *in, size_t len, bool with_content)
{
    struct pieces *pieces = &in->pieces;
    pieces->begun = true;
    in->content_len = len;
    if (!pieces->last && in->head.version == 11)
        pieces->chunked = true;
    else if (!pieces->last)
        in->keep = false;
    if (in->server->stopping)
        in->keep = false;
    if (answer_head(in, &in->server->head) != with_content)
        bug("the answer %d to %s has no content", in->status, in->call.method);
}

void call_piece(struct call *call, const void *bytes, size_t len, bool last)
{
    struct inbound *in = inbound_of(call);
    struct pieces *pieces = &in->pieces;
    struct buf *head = &in->server->head;
    took_back(in);
    pieces->last = last;
    buf_reset(head);
    if (!pieces->begun)
        begin(in, len, true);
    if (pieces->chunked && len > 0)
        buf_fmt(head, "%zx\r\n", len);
    const char *behind = !pieces->chunked ? "" : len > 0 ? "\r\n0\r\n\r\n" : "0\r\n\r\n";
    size_t behind_len = last ? strlen(behind) : pieces->chunked && len > 0 ? 2 : 0;
    const struct iovec parts[PARTS] = { { head->data, head->len },
                                        { (char *)(uintptr_t)bytes, len },
                                        { (char *)(uintptr_t)behind, behind_len } };
    peer_piece(in->peer, parts, PARTS);
}

void call_piece_failed(struct call *call, const struct error *error)
{
    struct inbound *in = inbound_of(call);
    if (!in->pieces.begun) {
        call_refuse_error(call, error, NULL);
        return;
    }
    log_error("an answer was broken off", LOG_T("method", call->method), LOG_T("path", call->path),
              LOG_T("error", error->message));
    took_back(in);
    in->pieces.broken = true;
    peer_go_on_later(in->peer);
}

/* ---- the loop's turns ---- */

void pieces_lost(struct inbound *in)
{
    in->server->calls--;
    in->stage = STAGE_DONE;
    metric_add(METRIC_REQUESTS, 1);
    in->pieces.source->end(&in->call, in->pieces.data, false);
}

static void pieces_end(struct inbound *in, bool whole)
{
    in->server->calls--;
    in->stage = STAGE_DONE;
    metric_add(METRIC_REQUESTS, 1);
    in->pieces.source->end(&in->call, in->pieces.data, whole);
    inbound_over(in);
    peer_pieces_over(in->peer, in->keep, !whole);
}

static void head_alone(struct inbound *in)
{
    struct buf *head = &in->server->head;
    buf_reset(head);
    begin(in, 0, false);
    in->pieces.last = true;
    const struct iovec part = { head->data, head->len };
    peer_piece(in->peer, &part, 1);
}

void pieces_go_on(struct inbound *in)
{
    struct pieces *pieces = &in->pieces;
    if (pieces->asked || peer_has_to_send(in->peer))
        return;
    if (in->peer->gone || pieces->broken || (in->server->closing && !pieces->last)) {
        pieces_end(in, false);
    } else if (pieces->last) {
        pieces_end(in, true);
    } else if (strcmp(in->call.method, "HEAD") == 0) {
        head_alone(in);
    } else {
        pieces->asked = true;
        in->held = true;
        in->server->held++;
        list_remove(&in->peer->in);
        pieces->source->next(&in->call, pieces->data);
    }
}
