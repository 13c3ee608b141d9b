"""Makes a stopped server's store older, as if all that is in it had happened days before."""

DAY_MS = 24 * 3600 * 1000


def age(store, days):
    """Ids are in order of time: 22 bits under the milliseconds are node and sequence."""
    ms = days * DAY_MS
    span = ms << 22
    store.execute("UPDATE attempt SET postback = postback - ?, started_at = started_at - ?", span, ms)
    store.execute("UPDATE postback SET id = id - ?, event = event - ?, finished_at = "
                  "finished_at - ?, due_at = due_at - ?, resent = resent - ?, "
                  "first_started_at = first_started_at - ?", span, span, ms, ms, span, ms)
    store.execute("UPDATE event SET id = id - ?, occurred_at = occurred_at - ?", span, ms)
