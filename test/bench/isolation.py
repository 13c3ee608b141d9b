"""What a receiver or an account does to the others."""

import concurrent.futures
import time

from world import load_end, load_start, p99_ms, pause, start_receiver, world


def far(options):
    """The window grows by one a full window, so a steady rate is measured after a while."""
    with world(delay_ms=100) as (server, receiver, _):
        sid = server.account(receiver.port)
        process = load_start(server.port, 20 + options.seconds, sid, server.operator, rate=2000)
        pause(20)
        before, started = receiver.received(), time.monotonic()
        pause(options.seconds)
        rate = (receiver.received() - before) / (time.monotonic() - started)
        process.terminate()
        load_end(process)
        return {"far_per_s": rate}


HANGING = 500


def host(number):
    return f"127.0.{number // 256}.{number % 256}"


def hanging(_):
    """500 hosts that answer and 500 others, which answer at first and then never again."""
    with world(addresses=HANGING) as (server, good, _):
        bad = start_receiver(addresses=HANGING)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            sids = ",".join(pool.map(lambda at: server.account(
                (good, bad)[at % 2].port, host(1 + at // 2)), range(2 * HANGING)))

        def p99(seconds):
            return p99_ms(server, good, sids, seconds, rate=1000, connections=32, share=0.5)

        p99(5)
        none = p99(20)
        bad.stats("/hang")
        half = p99(40)  # longer than an exchange may take, so lanes go down too
        return {"hanging_none_p99_ms": none, "hanging_half_p99_ms": half,
                "hanging_ratio": half / none, "hanging_rss_kib": server.status("VmHWM")}


NOTIFICATIONS, HOSTS = 10000, 100  # of the large account
OFFERS = 4  # its connections: each offers the next event when the last was accepted


def accounts(options):
    """Each event of the large account is 10,000 postbacks in one commit (some 50 ms), and its
    deliveries take all there is; wanted is what two such commits may take."""
    with world(addresses=HOSTS) as (server, crowd, _):
        near = start_receiver()
        small, large = server.account(near.port), server.account(crowd.port)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda at: server.notify(
                large, f"http://{host(1 + at % HOSTS)}:{crowd.port}/{at}"),
                range(1, NOTIFICATIONS)))

        def p99(seconds):
            return p99_ms(server, near, small, seconds, rate=200, connections=32)

        p99(2)
        alone = p99(3 * options.seconds)
        process = load_start(server.port, 3600, large, server.operator, connections=OFFERS)
        pause(10)  # its lanes are full
        before, started = crowd.received(), time.monotonic()
        beside = p99(6 * options.seconds)
        rate = (crowd.received() - before) / (time.monotonic() - started)
        process.terminate()
        load_end(process)
        return {"accounts_alone_p99_ms": alone, "accounts_beside_p99_ms": beside,
                "accounts_large_per_s": rate, "accounts_rss_kib": server.status("VmHWM")}


BENCHES = {
    "far": (far, [
        ("far_per_s", "to one receiver that answers after 100 ms", "/s", (">=", 1000)),
    ]),
    "hanging": (hanging, [
        ("hanging_none_p99_ms", "1,000 receivers, none hangs: p99 of 500", "ms", None),
        ("hanging_half_p99_ms", "… the other 500 hang: p99 of the same", "ms", None),
        ("hanging_ratio", "… the one against the other", "", ("<=", 2)),
        ("hanging_rss_kib", "… peak RSS", "KiB", None),
    ]),
    "accounts": (accounts, [
        ("accounts_alone_p99_ms", "an account with one notification, 200/s alone: p99", "ms", None),
        ("accounts_beside_p99_ms", "… beside one with 10,000 that is busy", "ms", ("<=", 100)),
        ("accounts_large_per_s", "… postbacks of that one meanwhile", "/s", None),
        ("accounts_rss_kib", "… peak RSS", "KiB", None),
    ]),
}
