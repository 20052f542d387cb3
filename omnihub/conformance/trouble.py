"""Rules for when the other side fails: said clearly, nothing lost, and on from the same place."""

from __future__ import annotations

import threading
from collections.abc import Callable

from omnihub.conformance.rules import expect, rule
from omnihub.conformance.trial import TIMEOUT_S, Trial
from omnihub.conformance.wire import Bend, Carry
from omnihub.land import Landed
from omnihub.sandbox.kit import Call, Reply

SECOND = 2  # the call that goes wrong: in the middle of the main stream, where it has several pages
TOLD_S = 7.0  # how long the system asks to wait


def _once_at(n: int, bad: Bend) -> Bend:
    """Only the n-th call goes wrong."""
    return _from(n, bad, lambda gone: gone == 0)


def _always_from(n: int, bad: Bend) -> Bend:
    """The n-th call and all that follow go wrong."""
    return _from(n, bad, lambda gone: True)


def _from(n: int, bad: Bend, again: Callable[[int], bool]) -> Bend:
    count, lock = {"calls": 0, "bad": 0}, threading.Lock()

    def bend(call: Call, carry: Carry) -> Reply:
        with lock:
            count["calls"] += 1
            wrong = count["calls"] >= n and again(count["bad"])
            count["bad"] += wrong
        return bad(call, carry) if wrong else carry()

    return bend


def _interrupted(t: Trial, bad: Bend, what: str, *, once: bool = True) -> Landed:
    """Pull while it goes wrong: either everything came all the same, or the pull says that it failed. Then pull again,
    from the beginning, and everything is there, once."""
    with t.wire.bent((_once_at if once else _always_from)(SECOND, bad)):
        [first] = t.pull(t.main.name)
    missing = t.baseline() - t.known(t.main.name)
    expect(
        not missing or not first.ok,
        f"{t.main.name}: {what}, {len(missing)} records are missing, and the pull called itself well",
    )
    expect(not first.gone, f"{t.main.name}: {what}, and {first.gone} living records were taken for gone")
    _all_there(t, what, full=True)
    return first


def _all_there(t: Trial, what: str, *, full: bool) -> None:
    """Pull again: everything is there, once."""
    t.pull_well(t.main.name, full=full)
    missing = t.baseline() - t.known(t.main.name)
    expect(not missing, f"{t.main.name}: {what}, and {len(missing)} records are missing for good")
    ids = [id_ for id_, _ in t.versions(t.main.name)]
    expect(len(ids) == len(set(ids)), f"{t.main.name}: {what}, and {len(ids) - len(set(ids))} records are kept twice")


@rule("trouble", "an error passes", "One 503 in the middle is tried again, and nobody notices")
def an_error_passes(t: Trial) -> None:
    first = _interrupted(t, lambda call, carry: t.standin.error(503), "one call failed with 503")
    expect(first.ok, f"{t.main.name}: one 503 ended the pull: {first.error}")


@rule("trouble", "an error stays", "A list that fails in the middle is said to have failed")
def an_error_stays(t: Trial) -> None:
    _interrupted(t, lambda call, carry: t.standin.error(500), "every call but the first failed with 500", once=False)


@rule("trouble", "patience", "Asked to wait, it waits as long as it is told")
def patience(t: Trial) -> None:
    first = _interrupted(
        t, lambda call, carry: t.standin.error(429, wait_s=TOLD_S), "one call was refused for its rate"
    )
    expect(first.ok, f"{t.main.name}: one refusal for the rate ended the pull: {first.error}")
    refused = [s for s in t.wire.seen if "retry-after" in {name.lower() for name in s.reply.headers}]
    expect(
        not refused or max(t.waited_s, default=0) >= TOLD_S, f"{t.main.name}: told to wait {TOLD_S:.0f} s, and did not"
    )


@rule("trouble", "cut short", "An answer that is cut short is no answer")
def cut_short(t: Trial) -> None:
    def cut(call: Call, carry: Carry) -> Reply:
        reply = carry()
        body = reply.encoded()
        return Reply(reply.status, body[: len(body) * 2 // 3], reply.headers, reply.content_type)

    _interrupted(t, cut, "an answer was cut short")


@rule("trouble", "a page for people", "An HTML page with status 200 is an error, not an empty list")
def a_page_for_people(t: Trial) -> None:
    page = "<html><body><h1>We'll be back soon</h1></body></html>"
    bad = Reply(200, page, content_type="text/html")
    _interrupted(t, lambda call, carry: bad, "a page for people came back", once=False)


@rule("trouble", "another type", "An answer of another shape is an error, not an empty list")
def another_type(t: Trial) -> None:
    bad = Reply(200, {"welcome": "to the API"})
    _interrupted(t, lambda call, carry: bad, "an answer of another shape came", once=False)


@rule("trouble", "no answer", "A system that does not answer is asked again, or given up on")
def no_answer(t: Trial) -> None:
    t.timeout_s = TIMEOUT_S
    done = threading.Event()

    def hang(call: Call, carry: Carry) -> Reply:
        done.wait(TIMEOUT_S * 1.6)
        return carry()

    t.baseline()
    t.wire.clear()
    t.pull_well(t.main.name)
    calls = len(t.wire.seen)
    t.wire.clear()
    with t.wire.bent(_once_at(SECOND, hang)):
        [first] = t.pull(t.main.name, full=True)
    expect(
        not first.ok or len(t.wire.seen) > calls,
        f"{t.main.name}: still waiting for an answer after {TIMEOUT_S} s, the time-out it was given",
    )
    t.timeout_s = 30.0
    _all_there(t, "one call had no answer", full=True)


@rule("trouble", "a token ends", "A token that ends in the middle is renewed, or the pull says what to check")
def a_token_ends(t: Trial) -> None:
    first = _interrupted(t, lambda call, carry: t.standin.error(401), "one call was refused for its token")
    named = "credentials" in first.error or "token" in first.error
    expect(first.ok or named, f"{t.main.name}: the error does not name the credentials: {first.error}")


@rule("trouble", "a crash", "The cursor moves only with what is landed: stopped in the middle, nothing is skipped")
def a_crash(t: Trial) -> None:
    with t.wire.bent(_always_from(SECOND + 1, lambda call, carry: t.standin.error(500))):
        t.pull(t.main.name)
    _all_there(t, "the pull was stopped in the middle", full=False)
