"""The checker of script/chaos finds what is wrong, and nothing else: ledgers with one thing in them."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import checker  # noqa: E402
from ledger import Edit, Event, Fault, Ledger, Pause, Promise, Receipt  # noqa: E402


def run_of(count=10, **promise):
    """Events 1 s apart, each taken 0.2 s after it was acknowledged."""
    ledger = Ledger(promises={"n": Promise(**promise)})
    for number in range(count):
        ledger.events.append(Event(f"e{number}", ("n",), number, number + 0.1))
        ledger.receipts.append(receipt(number, number + 0.3))
    return ledger


def receipt(number, began, took=0.05, status=200, generation=0, node="a", **rest):
    return Receipt("n", f"e{number}", f"p{number}", generation, began,
                   None if took is None else began + took, status, node, **rest)


def words(ledger):
    return [sentence.partition(":")[0] for sentence in checker.check(ledger)]


@pytest.mark.parametrize("promise", [{}, {"ordered": True}, {"pace": 1}, {"cap": 1}])
def test_a_run_in_which_all_went_well(promise):
    assert checker.check(run_of(**promise)) == []


# ---- loss ----

def test_an_acknowledged_event_that_never_came_is_lost():
    ledger = run_of()
    del ledger.receipts[4]
    assert checker.check(ledger) == ["lost: e4, acknowledged at 4.10, never came to n"]


def test_one_that_was_refused_by_its_receiver_and_never_sent_again_is_lost():
    ledger = run_of()
    ledger.receipts[4].status = 500
    assert words(ledger) == ["lost"]


def test_one_that_came_to_one_of_two_is_lost():
    ledger = run_of()
    ledger.events[4].wanted_by = ("n", "other")
    assert words(ledger) == ["lost"]


def test_one_that_nobody_acknowledged_may_come_or_not():
    ledger = run_of()
    ledger.events[4].ended = ledger.events[5].ended = None
    del ledger.receipts[4]
    assert checker.check(ledger) == []


def test_a_fault_excuses_no_loss():
    ledger = run_of()
    del ledger.receipts[4]
    ledger.faults.append(Fault("kill", 0, 100))
    assert words(ledger) == ["lost"]


# ---- doubles ----

def twice(first=None, **second):
    ledger = run_of()
    if first:
        ledger.receipts[4] = first
    ledger.receipts.append(receipt(4, 8.0, **second))
    return ledger


def test_a_duplicate_without_a_fault():
    assert words(twice()) == ["twice"]


@pytest.mark.parametrize("fault, explains", [
    (Fault("kill", 4.32, 6.0, "a"), True),                  # while the receiver had it
    (Fault("kill", 5.0, 6.0, "a"), True),                   # answered, perhaps not on disk
    (Fault("kill", 5.0, 6.0), True),                        # the database's
    (Fault("cut", 2.0, 4.31, "a"), True),                   # sent while the road was cut
    (Fault("kill", 5.0, 6.0, "b"), False),                  # another node's
    (Fault("kill", 9.9, 9.95, "a"), False),                # too late
    (Fault("kill", 1.0, 4.2, "a"), False),                  # long over
    (Fault("drain", 4.32, 6.0, "a", in_flight=False), False),
])
def test_a_duplicate_is_explained_by_what_was_in_flight_at_a_fault(fault, explains):
    ledger = twice(node="b")
    ledger.faults.append(fault)
    assert words(ledger) == ([] if explains else ["twice"])


def test_a_sender_that_is_not_known_may_be_any():
    ledger = twice()
    ledger.receipts[4].node = None
    ledger.faults.append(Fault("kill", 5.0, 6.0, "b"))
    assert checker.check(ledger) == []


def test_one_that_was_refused_is_sent_again():
    assert checker.check(twice(receipt(4, 4.3, status=503))) == []


def test_two_attempts_at_once():
    ledger = run_of()
    ledger.receipts[4] = receipt(4, 4.3, took=2, status=500)
    ledger.receipts.append(receipt(4, 5.0, node="b"))
    assert words(ledger) == ["twice"]


def test_one_key_that_became_two_events():
    ledger = run_of()
    ledger.receipts.append(Receipt("n", "e4", "another", 0, 4.5, 4.6, 200, "b"))
    assert words(ledger) == ["taken twice"]


def test_what_nobody_sent():
    ledger = run_of()
    ledger.receipts.append(receipt(77, 4.5))
    assert words(ledger) == ["never sent"]


# ---- order ----

def test_a_later_one_that_comes_first():
    ledger = run_of(ordered=True)
    ledger.receipts[4], ledger.receipts[5] = receipt(4, 5.5), receipt(5, 5.3)
    assert words(ledger) == ["order"]


def test_without_the_promise_it_may():
    ledger = run_of()
    ledger.receipts[4], ledger.receipts[5] = receipt(4, 5.5), receipt(5, 5.3)
    assert checker.check(ledger) == []


def test_the_first_has_to_be_taken_and_not_only_tried():
    ledger = run_of(ordered=True)
    ledger.receipts[4] = receipt(4, 4.3, status=500)
    ledger.receipts.append(receipt(4, 7.9))
    assert set(words(ledger)) == {"order"}  # 5, 6 and 7 came before


def test_a_fault_excuses_no_disorder():
    ledger = run_of(ordered=True)
    ledger.receipts[4] = receipt(4, 5.9)
    ledger.faults.append(Fault("kill", 0, 100))
    assert words(ledger) == ["order"]


def test_of_two_that_were_sent_together_either_may_be_first():
    ledger = run_of(ordered=True)
    ledger.events[4].ended = 5.05
    ledger.receipts[4], ledger.receipts[5] = receipt(4, 5.5), receipt(5, 5.3)
    assert checker.check(ledger) == []


def test_a_duplicate_that_is_explained_breaks_no_order():
    ledger = run_of(ordered=True)
    ledger.receipts.append(receipt(4, 5.6))
    ledger.faults.append(Fault("kill", 4.32, 5.0))
    assert checker.check(ledger) == []


# ---- pace, cap ----

def burst(count, apart, **promise):
    ledger = run_of(**promise)
    ledger.events += [Event(f"e{number}", ("n",), 20, 20.1) for number in range(20, 20 + count)]
    ledger.receipts += [receipt(20 + at, 21 + at * apart) for at in range(count)]
    return ledger


@pytest.mark.parametrize("count, apart, broken", [
    (5, 0.01, False), (6, 0.01, True), (6, 0.1, True),  # in a second
    (15, 0.17, False), (16, 0.17, True),                # in three
    (30, 0.2, False)])
def test_more_in_a_second_than_maximum_requests(count, apart, broken):
    assert ("pace" in words(burst(count, apart, pace=5))) == broken


def test_a_pace_that_two_nodes_keep_each_is_broken():
    ledger = burst(5, 0.2, pace=5)
    ledger.events += [Event(f"e{number}", ("n",), 20, 20.1) for number in range(40, 45)]
    ledger.receipts += [receipt(40 + at, 21.1 + at * 0.2, node="b") for at in range(5)]
    assert set(words(ledger)) == {"pace"}


@pytest.mark.parametrize("apart, broken", [(0.06, False), (0.03, True)])
def test_more_at_a_time_than_maximum_concurrent_requests(apart, broken):
    assert ("cap" in words(burst(4, apart, cap=1))) == broken


def test_one_that_is_never_answered_takes_its_place_for_good():
    ledger = run_of(cap=1)
    ledger.receipts.insert(0, receipt(0, 0.1, took=None, status=None))
    ledger.faults.append(Fault("kill", 0.2, 0.25, "a"))
    assert set(words(ledger)) == {"cap"}


# ---- settings, pauses ----

def test_an_event_taken_after_an_edit_goes_by_it():
    ledger = run_of()
    ledger.edits.append(Edit("n", 1, ended=6.5))
    for number in range(7, 10):
        ledger.receipts[number].generation = 1
    assert checker.check(ledger) == []
    ledger.receipts[8].generation = 0
    assert words(ledger) == ["old settings"]


def test_an_event_that_was_taken_before_may_go_by_either():
    ledger = run_of()
    ledger.edits.append(Edit("n", 1, ended=9.5))
    ledger.receipts[9].generation = 1
    assert checker.check(ledger) == []


def test_an_edit_without_an_answer_may_come_late():
    ledger = run_of()
    ledger.edits += [Edit("n", 1, ended=None), Edit("n", 2, ended=3.5)]
    for number in range(4, 10):
        ledger.receipts[number].generation = 2 if number != 6 else 1
    assert checker.check(ledger) == []
    ledger.receipts[7].generation = 0
    assert words(ledger) == ["old settings"]


@pytest.mark.parametrize("pause, said", [
    (Pause("n", 3.5, 8.9), ["paused"] * 2),   # what came at 7.3 and 8.3
    (Pause("n", 3.5, 5.4), []),               # within its second
    (Pause("other", 3.5, 8.9), []),
])
def test_what_comes_while_it_is_paused(pause, said):
    ledger = run_of()
    ledger.pauses.append(pause)
    assert words(ledger) == said


def test_a_node_that_hears_nothing_knows_of_no_pause():
    ledger = run_of()
    ledger.pauses.append(Pause("n", 3.5, 8.9))
    ledger.faults.append(Fault("silence", 3.0, 8.0, "a"))
    assert checker.check(ledger) == []


# ---- told, counted ----

def told():
    ledger = run_of()
    ledger.notices += [(account, of, kind) for kind in ("late", "on time") for account in "xy"
                       for of in "nm"] * 2
    ledger.letters += [("x", kind) for kind in ("late", "on time")] * 4
    return ledger


def test_what_is_told_once_each_time():
    assert checker.check(told()) == []


def test_a_notice_that_comes_twice():
    ledger = told()
    ledger.notices.insert(2, ("x", "n", "late"))
    assert words(ledger) == ["notice"]


def test_a_mail_that_comes_twice():
    ledger = told()
    ledger.letters.append(("x", "late"))
    assert words(ledger) == ["mail"]


def test_a_mail_without_a_notice():
    ledger = told()
    ledger.letters.append(("z", "late"))
    assert words(ledger) == ["mail"]


def test_counts_that_are_not_what_they_count():
    ledger = run_of()
    ledger.counts += [("pending of n", 0, 0), ("delivered of n", 10, 11)]
    assert checker.check(ledger) == ["counts: delivered of n is said to be 10, and is 11"]
