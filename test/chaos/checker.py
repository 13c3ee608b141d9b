"""What a ledger must hold.  Each rule gives the sentences that say where it was broken; no sentence,
nothing broken."""

import bisect
import math
from collections import Counter

LATE = 0.4            # seconds that a receiver's thread may come late to read, on a busy machine
RECORDING = 5.0       # seconds that an outcome may take to the disk on a machine that is busy
NEWS = 3.0            # a pause is in force everywhere: within a second, and what is on its way arrives
LEASE = 12.0          # a node that hears nothing goes on for so long at the most


def check(ledger):
    return [sentence for rule in RULES for sentence in rule(ledger)]


# ---- events ----

def lost(ledger):
    """What was acknowledged has arrived, at each that wanted it."""
    there = {(receipt.notification, receipt.key) for receipt in ledger.receipts if receipt.took_it}
    for event in ledger.events:
        for name in event.wanted_by:
            if event.ended is not None and (name, event.key) not in there:
                yield f"lost: {event.key}, acknowledged at {event.ended:.2f}, never came to {name}"


def taken_twice(ledger):
    """One DedupeKey is one event, and an event one postback for each that wants it."""
    ids = {}
    for receipt in ledger.receipts:
        ids.setdefault((receipt.notification, receipt.key), set()).add(receipt.id)
    for (name, key), found in ids.items():
        if len(found) > 1:
            yield f"taken twice: {key} came to {name} as {', '.join(sorted(found))}"


def never_sent(ledger):
    """Nothing arrives that nobody sent."""
    sent = {(name, event.key) for event in ledger.events for name in event.wanted_by}
    for receipt in ledger.receipts:
        if (receipt.notification, receipt.key) not in sent:
            yield f"never sent: {receipt.key} came to {receipt.notification}"


def is_explained(receipt, faults):
    """Its attempt was in flight, or not yet on disk, at a fault of the node that made it."""
    until = math.inf if receipt.ended is None else receipt.ended + RECORDING
    return any(fault.in_flight and receipt.began <= fault.ended and until >= fault.began and
               (fault.node == receipt.node or None in (fault.node, receipt.node))
               for fault in faults)


def unexplained_duplicates(ledger):
    """Sent again although it had arrived, and no fault kept that from the disk."""
    before = {}
    for receipt in sorted(ledger.receipts, key=lambda one: one.began):
        last = before.get((receipt.notification, receipt.id))
        under_way = last is not None and (last.ended is None or last.ended > receipt.began)
        if last is not None and (last.took_it or under_way) and not is_explained(
                last, ledger.faults):
            yield (f"twice: {receipt.key} came to {receipt.notification} at {last.began:.2f} from "
                   f"{last.node}, answered {last.status}, and at {receipt.began:.2f} from "
                   f"{receipt.node}, with no fault there at that time")
        before[receipt.notification, receipt.id] = receipt


# ---- what event notifications promise ----

def delivered_at(ledger, name):
    """{key: when it was first taken}"""
    found = {}
    for receipt in ledger.receipts_of(name):
        if receipt.took_it:
            found.setdefault(receipt.key, receipt.ended)
    return found


def out_of_order(ledger):
    """Ordered: when one arrives, all that were acknowledged before it was sent have been taken.  Of
    two that were under way together either may be the first."""
    for name, promise in ledger.promises.items():
        if not promise.ordered:
            continue
        taken = delivered_at(ledger, name)
        events = sorted((event for event in ledger.events
                         if event.ended is not None and name in event.wanted_by),
                        key=lambda one: one.ended)
        latest, acknowledged = [], [event.ended for event in events]
        for event in events:  # the latest to be taken of all acknowledged so far
            mine = (taken.get(event.key, math.inf), event.key)
            latest.append(max(latest[-1], mine) if latest else mine)
        began = {event.key: event.began for event in ledger.events}
        for receipt in ledger.receipts_of(name):
            place = bisect.bisect_left(acknowledged, began.get(receipt.key, -math.inf))
            if place and latest[place - 1][0] > receipt.began:
                yield (f"order: {receipt.key} came to {name} at {receipt.began:.2f} from "
                       f"{receipt.node}, before {latest[place - 1][1]} was taken")


def pace_broken(ledger):
    """Maximum Requests: never more in any second, nor in three, where a receiver that reads late hides
    less."""
    for name, promise in ledger.promises.items():
        times = [receipt.began for receipt in ledger.receipts_of(name)]
        for seconds in (1, 3):
            most = promise.pace * seconds
            for at in range(most, len(times) if most else 0):
                took = times[at] - times[at - most]
                if took < seconds - LATE:
                    yield (f"pace: {name} had {most + 1} requests in {took:.3f} s, at "
                           f"{times[at]:.2f}")


def cap_broken(ledger):
    """Maximum concurrent requests: never more that are not answered."""
    for name, promise in ledger.promises.items():
        steps = sorted((at, step) for receipt in ledger.receipts_of(name) if promise.cap
                       for at, step in ((receipt.began, 1), (receipt.ended, -1)) if at is not None)
        unanswered = 0
        for at, step in steps:
            unanswered += step
            if step > 0 and unanswered > promise.cap:
                yield f"cap: {name} was at work on {unanswered} requests at {at:.2f}"


def old_settings(ledger):
    """An edit is what every postback goes by whose event was taken after it was answered."""
    began = {event.key: event.began for event in ledger.events}
    for name in ledger.promises:
        mine = [edit for edit in ledger.edits if edit.notification == name]
        edits = sorted((edit.ended, edit.generation) for edit in mine if edit.ended is not None)
        late = {edit.generation for edit in mine if edit.ended is None}
        answered = [ended for ended, _ in edits]
        for receipt in ledger.receipts_of(name):
            place = bisect.bisect_left(answered, began.get(receipt.key, -math.inf))
            newest = max((generation for _, generation in edits[:place]), default=0)
            if receipt.generation < newest and receipt.generation not in late:
                yield (f"old settings: {receipt.key} came to {name}'s URL {receipt.generation} at "
                       f"{receipt.began:.2f}, and {newest} had been answered before it was sent")


def sent_while_paused(ledger):
    """A pause is in force everywhere within a second, but at a node that hears nothing just then."""
    for pause in ledger.pauses:
        for receipt in ledger.receipts_of(pause.notification):
            if pause.answered + NEWS < receipt.began < pause.resumed and not any(
                    fault.began - NEWS <= receipt.began and fault.ended + LEASE >= pause.answered
                    for fault in ledger.faults if fault.in_flight):
                yield (f"paused: {receipt.key} came to {pause.notification} at {receipt.began:.2f} "
                       f"from {receipt.node}, which was paused at {pause.answered:.2f}")


# ---- what is told, and what is counted ----

def told_twice(ledger):
    """What is over begins before it is over again; of a notice one mail."""
    last = {}
    for account, about, kind in ledger.notices:
        if last.get((account, about)) == kind:
            yield f"notice: {account} was told {kind} of {about} twice"
        last[account, about] = kind
    told = Counter((account, kind) for account, _, kind in ledger.notices)
    for (account, kind), count in Counter(ledger.letters).items():
        if count > told[account, kind]:
            yield f"mail: {account} had {count} letters of {told[account, kind]} notices {kind}"


def wrong_counts(ledger):
    for what, said, there in ledger.counts:
        if said != there:
            yield f"counts: {what} is said to be {said}, and is {there}"


RULES = (lost, taken_twice, never_sent, unexplained_duplicates, out_of_order, pace_broken, cap_broken,
         old_settings, sent_while_paused, told_twice, wrong_counts)
