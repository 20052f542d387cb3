"""Rules on what goes out: what was planned, all of it, nothing else, once, and back again."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from omnihub import fields, sdk
from omnihub.conformance.rules import Broken, NotForThis, expect, rule
from omnihub.conformance.trial import Trial
from omnihub.conformance.wire import Carry
from omnihub.errors import RetryableError
from omnihub.model import Op, Outcome, fields_of
from omnihub.push import Receipt
from omnihub.sandbox.kit import Call, Quota, Reply
from omnihub.sdk import Answer, Row, Stream, Windows, open_client
from omnihub.sdk.reporting import Notice, Place, Standing, Told

SOME = 5  # records written at once
MOST = 700  # calls made to reach a limit; a limit of more is taken on trust


def _ids(t: Trial, stream: Stream) -> list[str]:
    """Ids of some records that are there and known, from the middle."""
    ids = sorted(set(t.there(stream.name)) & t.known(stream.name))
    if len(ids) < SOME:
        raise NotForThis(f"the stand-in keeps no {stream.name} of its own")
    return ids[2 : 2 + SOME]


def _outcomes(receipts: list[Receipt]) -> dict[str, set[Outcome]]:
    """id → how its changes ended, but for values that were there already."""
    found: dict[str, set[Outcome]] = {}
    for r in receipts:
        if r.code == "already":
            continue
        found.setdefault(r.ref.split("/", 2)[2], set()).add(r.outcome)
    return found


def _differs(stream: Stream, a: Mapping[str, Any], b: Mapping[str, Any], but: set[str]) -> list[str]:
    """Fields of the map in which two readings of a record differ, but for some."""
    kinds = fields_of(stream.entity)
    names = set(stream.map) - but
    return sorted(n for n in names if not fields.same(kinds[n].kind, a.get(n), b.get(n)))


@rule("writing", "as written", "What is written is what is read again")
def as_written(t: Trial) -> None:
    t.pull_well()
    for stream, push in t.pushed:
        ids = _ids(t, stream)
        wanted = {id_: t.wanted(stream, push, 900 + n) for n, id_ in enumerate(ids)}
        expect(any(wanted.values()), f"{stream.name}: no field could be written at all")
        t.write_well(stream, wanted)
        there, kinds = t.look(stream, ids), fields_of(stream.entity)
        for id_, new in wanted.items():
            for name, value in new.items():
                here = there.get(id_, {}).get(name)
                expect(
                    fields.same(kinds[name].kind, here, value),
                    f"{stream.name}/{id_}.{name}: {value!r} was written, {here!r} is read",
                )
        _difficult(t, stream, push.fields, ids[0])


DIFFICULT = 'Größe "L" & Söhne <A/S> +50 % ✓'  # every sign of it has broken somebody's encoding


def _difficult(t: Trial, stream: Stream, may: tuple[str, ...], id_: str) -> None:
    kinds = fields_of(stream.entity)
    for name in (n for n in t.free(stream) if n in may and kinds[n].kind.value == "text"):
        t.write(stream, {id_: {name: DIFFICULT}}, {id_: dict(t.look(stream, [id_])[id_])})
        here = t.look(stream, [id_])[id_].get(name)
        expect(here == DIFFICULT, f"{stream.name}/{id_}.{name}: {DIFFICULT!r} was written, {here!r} is read")


@rule("writing", "nothing else", "Writing one field leaves every other field of the map as it was")
def nothing_else(t: Trial) -> None:
    t.pull_well()
    for stream, push in t.pushed:
        id_ = _ids(t, stream)[0]
        name, value = next(iter(t.wanted(stream, push, 901).items()))
        before = t.look(stream, [id_])[id_]
        t.write_well(stream, {id_: {name: value}})
        after = t.look(stream, [id_])[id_]
        moved = _differs(stream, before, after, {name, *_beside(stream, name)})
        expect(not moved, f"{stream.name}/{id_}: {name} was written, {', '.join(moved)} changed with it")


def _beside(stream: Stream, name: str) -> set[str]:
    """Fields that stand at the same path, as the two halves of a name kept as one text."""
    path = stream.fields[name].path
    return {n for n, w in stream.fields.items() if w.path == path}


@rule("writing", "nothing of theirs", "What no field map reads is left as it is")
def nothing_of_theirs(t: Trial) -> None:
    t.pull_well()
    for stream, push in t.pushed:
        id_ = _ids(t, stream)[1]
        obj = t.there(stream.name)[id_]
        obj.body["their_own"] = {"note": "keep me", "list": [1, 2]}
        t.standin.state.save(obj)
        name, value = next(iter(t.wanted(stream, push, 902).items()))
        t.write_well(stream, {id_: {name: value}})
        kept = t.there(stream.name)[id_].body.get("their_own")
        expect(
            kept == {"note": "keep me", "list": [1, 2]},
            f"{stream.name}/{id_}: {name} was written, and what the hub knows nothing of was lost with it",
        )


@rule("writing", "once", "The second time there is nothing to write")
def once(t: Trial) -> None:
    t.pull_well()
    for stream, push in t.pushed:
        client, ids = t.client(), _ids(t, stream)
        old = {i: dict(r.fields) for i, r in t.refined(stream.name).items()}
        name = push.fields[0]
        wanted: dict[str, dict[str, str | None]] = {
            i: {name: t.wanted(stream, push, 903 + n)[name]} for n, i in enumerate(ids)
        }
        t.write(stream, wanted, old, client)
        writes = t.standin.state.writes
        receipts = t.write(stream, wanted, old, client)
        expect(t.standin.state.writes == writes, f"{stream.name}: the same was written a second time")
        bad = {o for some in _outcomes(receipts).values() for o in some} - {Outcome.WRITTEN}
        expect(not bad, f"{stream.name}: written already, and called {', '.join(sorted(bad))}")


@rule("writing", "somebody was faster", "What somebody changed since the plan is left alone")
def somebody_was_faster(t: Trial) -> None:
    t.pull_well()
    for stream, push in t.pushed:
        plain = [f for f in t.free(stream) if f in push.fields]
        if not plain:
            continue
        id_, name = _ids(t, stream)[2], plain[0]
        old = {i: dict(r.fields) for i, r in t.refined(stream.name).items()}
        theirs = t.edit(stream.name, id_, 950, but=[f for f in t.free(stream) if f != name])
        there = t.look(stream, [id_])[id_].get(theirs)
        receipts = t.write(stream, {id_: {name: t.wanted(stream, push, 904)[name]}}, old)
        expect(
            _outcomes(receipts) == {id_: {Outcome.DRIFTED}},
            f"{stream.name}/{id_}.{name}: somebody was faster, and our write was {receipts[0].outcome}",
        )
        expect(t.look(stream, [id_])[id_].get(theirs) == there, f"{stream.name}/{id_}: somebody's edit was overwritten")


@rule("writing", "gone meanwhile", "A record deleted since the plan is not written, and the others are")
def gone_meanwhile(t: Trial) -> None:
    t.pull_well()
    for stream, push in t.pushed:
        ids = _ids(t, stream)
        old = {i: dict(r.fields) for i, r in t.refined(stream.name).items()}
        t.delete(stream.name, ids[1])
        wanted = {id_: t.wanted(stream, push, 905 + n) for n, id_ in enumerate(ids)}
        _all_but(stream, ids[1], _outcomes(t.write(stream, wanted, old)))


@rule("writing", "one bad row", "A row the system refuses stands alone: the others of its batch are written")
def one_bad_row(t: Trial) -> None:
    t.pull_well()
    for stream, push in t.pushed:
        ids = _ids(t, stream)
        wanted = {id_: t.wanted(stream, push, 906 + n) for n, id_ in enumerate(ids)}
        started = {"writing": False}

        def gone_at_the_last_moment(
            call: Call, carry: Carry, bad: str = ids[1], s: Stream = stream, on: Any = started
        ) -> Reply:
            if (
                call.method != "GET"
                and bad.encode() in (call.body + call.url.encode())
                and not on["writing"]
                and not t.standin.reads(call)
            ):
                on["writing"] = True
                t.delete(s.name, bad)
            return carry()

        with t.wire.bent(gone_at_the_last_moment):
            outcomes = _outcomes(t.write(stream, wanted))
        if not started["writing"]:
            raise NotForThis("its writes do not name the record")
        _all_but(stream, ids[1], outcomes)


def _all_but(stream: Stream, bad: str, outcomes: Mapping[str, set[Outcome]]) -> None:
    expect(
        Outcome.WRITTEN not in outcomes.get(bad, set()),
        f"{stream.name}/{bad}: is not there any more, and its write was called written",
    )
    others = sorted(id_ for id_, found in outcomes.items() if id_ != bad and found != {Outcome.WRITTEN})
    expect(not others, f"{stream.name}: one record could not be written, and {len(others)} others were not either")


@rule("writing", "the answer is lost", "Written, but the answer was an error: looked up, not written twice")
def the_answer_is_lost(t: Trial) -> None:
    t.pull_well()
    for stream, push in t.pushed:
        ids = _ids(t, stream)
        wanted = {id_: t.wanted(stream, push, 910 + n) for n, id_ in enumerate(ids)}

        def after_commit(call: Call, carry: Carry) -> Reply:
            before = t.standin.state.writes
            reply = carry()
            return t.standin.error(500) if t.standin.state.writes > before else reply

        with t.wire.bent(after_commit):
            outcomes = _outcomes(t.write(stream, wanted))
        bad = sorted(id_ for id_, found in outcomes.items() if found != {Outcome.WRITTEN})
        expect(
            not bad,
            f"{stream.name}: {len(bad)} of {len(ids)} rows were written and are called something else",
        )


@rule("writing", "made once", "Creating the same twice, or again after a lost answer, makes one record")
def made_once(t: Trial) -> None:
    t.pull_well()
    tried = 0
    for stream, push in t.pushed:
        if push.create is None:
            continue
        tried += 1
        new = t.wanted(stream, push, 920)
        row = Row(0, Op.CREATE, None, stream.fields.body(new), new, {}, "golden_made_once")
        count, lost = len(t.there(stream.name)), {"one": True}

        def lost_once(call: Call, carry: Carry, lost: dict[str, bool] = lost) -> Reply:
            before = t.standin.state.writes
            reply = carry()
            if t.standin.state.writes > before and lost.pop("one", False):
                return t.standin.error(500)
            return reply

        client, said = t.client(), ""
        with t.wire.bent(lost_once):
            for _ in range(3):
                try:
                    answers = list(push.create(client, [row]))
                except Exception as unanswered:  # noqa: BLE001  it may say so; the hub then asks again
                    answers, said = [], str(unanswered)
                    continue
                break
            else:
                raise Broken(f"{stream.name}: creating never ended well: {said}")
        again = list(push.create(t.client(), [row]))
        made = len(t.there(stream.name)) - count
        expect(made == 1, f"{stream.name}: one record was created three times over, and there are {made} new ones")
        expect(
            bool(again and answers) and again[0].id == answers[0].id and bool(again[0].id),
            f"{stream.name}: creating again does not answer with the record that is there",
        )
    if not tried:
        raise NotForThis("it creates nothing")


@rule("writing", "forgotten", "Who is erased is in nothing the system shows, and asking for it again does no harm")
def forgotten(t: Trial) -> None:
    t.pull_well()
    tried = 0
    for stream, push in t.pushed:
        if push.erase is None:
            continue
        tried += 1
        *persons, other = _ids(t, stream)
        words, before = {id_: _own_words(t, stream, id_) for id_ in persons}, t.look(stream, [other])
        if not all(words.values()):
            raise NotForThis(f"{stream.name}: its records say nothing that others don't say too")
        gone = [*_erased(t, stream, push, persons[:-1]), *_erased(t, stream, push, persons[-1:], lost=True)]
        if not gone:
            raise NotForThis(f"{stream.name}: its stand-in keeps all of them for a reason")
        there = t.standin.dump()
        again = _erased(t, stream, push, [*gone, t.standin.native_id(stream.name, 999_999)])
        expect(len(again) == len(gone) + 1, f"{stream.name}: who is gone, or never was there, can't be erased again")
        expect(t.standin.dump() == there, f"{stream.name}: erasing a second time changed something")
        expect(t.look(stream, [other]) == before, f"{stream.name}: erasing some changed another")
        _say_nothing(t, stream, {word: id_ for id_ in gone for word in words[id_]}, gone)
    if not tried:
        raise NotForThis("it erases nobody")


def _own_words(t: Trial, stream: Stream, id_: str) -> list[str]:
    """What the system says of this record and of no other, as it says it."""
    said = {(s.name, one): body.decode("utf-8", "replace") for s in t.pulled for one, body in t.versions(s.name)}
    mine = said.pop((stream.name, id_))
    others = "\n".join(said.values())
    found = t.refined(stream.name)[id_].fields.values()
    return [value for value in found if len(value) > 5 and value in mine and value not in others]


def _erased(t: Trial, stream: Stream, push: sdk.Push, ids: list[str], *, lost: bool = False) -> list[str]:
    """Those that are gone for good, whatever it took: asked again after a lost answer, and when the system is done
    with what it took on. The others were refused, with a reason."""
    assert push.erase
    left, gone, answers_lost = list(ids), list[str](), [lost]

    def after_commit(call: Call, carry: Carry) -> Reply:
        before = t.standin.state.writes
        reply = carry()
        return t.standin.error(500) if t.standin.state.writes > before and answers_lost[0] else reply

    for tried in range(3):
        rows = [Row(n, Op.UPDATE, id_, {}, {}, {}, f"golden_{id_}") for n, id_ in enumerate(left)]
        answers: dict[int, sdk.Answer] = {}
        try:
            with t.wire.bent(after_commit):
                answers = {answer.n: answer for answer in push.erase(t.client(), rows)}
        except RetryableError:
            pass  # it may say so; the hub then asks again
        answers_lost[0] = False
        for row in rows:
            answer = answers.get(row.n)
            known = answer is None or answer.outcome is not Outcome.DRIFTED
            expect(known, f"{stream.name}/{row.id}: erasing is called {answer.outcome if answer else ''}")
            if answer and answer.outcome is Outcome.REFUSED:
                expect(bool(answer.message), f"{stream.name}/{row.id}: is not erased, and there is no word on why")
        gone += [str(row.id) for row in rows if _ended(answers.get(row.n), Outcome.WRITTEN)]
        kept = [str(row.id) for row in rows if _ended(answers.get(row.n), Outcome.REFUSED)]
        left = [id_ for id_ in left if id_ not in (*gone, *kept)]
        if not left:
            return gone
        if tried:
            t.standin.later()
    raise Broken(f"{stream.name}: {len(left)} of {len(ids)} are not erased however often it is asked for")


def _ended(answer: sdk.Answer | None, outcome: Outcome) -> bool:
    return answer is not None and answer.outcome is outcome


def _say_nothing(t: Trial, stream: Stream, words: Mapping[str, str], gone: list[str]) -> None:
    """Nothing that is read from now on has one of these words in it."""
    assert stream.push
    t.wire.clear()
    t.pull_well()
    t.pull_well(full=True)
    list(stream.push.look(t.client(), gone))
    told = b"\n".join(seen.reply.encoded() for seen in t.wire.seen)
    left = sorted({id_ for word, id_ in words.items() if word.encode() in told or _in_json(word) in told})
    expect(not left, f"{stream.name}/{', '.join(left)}: was erased, and what it said of them is still shown")


def _in_json(word: str) -> bytes:
    return json.dumps(word)[1:-1].encode()


@rule("writing", "nobody is deleted", "Writing never deletes")
def nobody_is_deleted(t: Trial) -> None:
    t.pull_well()
    for stream, push in t.pushed:
        ids, count = _ids(t, stream), len(t.there(stream.name))
        t.write(stream, {id_: t.wanted(stream, push, 930 + n) for n, id_ in enumerate(ids)})
        lost = count - len(t.there(stream.name))
        expect(lost <= 0, f"{stream.name}: {lost} records were deleted by writing")


@rule("writing", "our echo", "Our own write is known again when it comes back, and somebody's edit beside it is not")
def our_echo(t: Trial) -> None:
    t.pull_well()
    for stream, push in t.pushed:
        id_ = _ids(t, stream)[3]
        name, value = next(iter(t.wanted(stream, push, 940).items()))
        t.write_well(stream, {id_: {name: value}})
        try:
            theirs = t.edit(stream.name, id_, 960, but=[name, *_grouped(stream, name)])
        except NotForThis:
            theirs = ""
        t.pull_well(stream.name)
        found = t.refined(stream.name)[id_]
        expect(name in found.echoes, f"{stream.name}/{id_}.{name}: our own write came back and was taken for theirs")
        expect(
            not theirs or theirs in found.edits,
            f"{stream.name}/{id_}.{theirs}: somebody's edit beside our write was not seen",
        )


def _grouped(stream: Stream, name: str) -> list[str]:
    """Fields of the same group, or at the same place."""
    kinds = fields_of(stream.entity)
    group = kinds[name].group
    return [*_beside(stream, name), *(n for n in stream.map if group and kinds[n].group == group)]


@rule("writing", "there and back", "Undoing what was written leaves the system as it was, empty fields empty")
def there_and_back(t: Trial) -> None:
    t.pull_well()
    for stream, push in t.pushed:
        ids = _ids(t, stream)
        empty = _emptied(t, stream, push.fields, ids[0])
        before = {i: copy.deepcopy(t.there(stream.name)[i].body) for i in ids}
        wanted = {id_: t.wanted(stream, push, 970 + n) for n, id_ in enumerate(ids)}
        receipts = t.write(stream, wanted)
        back = {r.ref.split("/", 2)[2]: dict(r.before) for r in receipts if r.outcome is Outcome.WRITTEN}
        t.write(stream, back, {i: dict(w) for i, w in wanted.items()})
        after = {i: t.there(stream.name)[i].body for i in ids}
        for id_ in ids:
            changed = _unlike(before[id_], after[id_])
            expect(
                not changed,
                f"{stream.name}/{id_}: written and undone, {', '.join(changed)} is not as before"
                + (f" ({empty} was empty)" if empty and id_ == ids[0] else ""),
            )


def _emptied(t: Trial, stream: Stream, may: tuple[str, ...], id_: str) -> str:
    """Take a field from a record, so that undoing has to make it empty again. Returns which."""
    kinds = fields_of(stream.entity)
    for name in may:
        if kinds[name].kind.value in ("text", "phone", "city"):
            t.standin.edit(stream.name, id_, {name: None})
            t.pull_well(stream.name, full=True)
            return name
    return ""


def _unlike(a: Any, b: Any, path: str = "") -> list[str]:
    """Paths at which two JSON values differ; empty, null and absent are the same."""
    if isinstance(a, dict) or isinstance(b, dict):
        a, b = a or {}, b or {}
        if isinstance(a, dict) and isinstance(b, dict):
            return [p for k in sorted({*a, *b}) for p in _unlike(a.get(k), b.get(k), f"{path}.{k}".lstrip("."))]
    return [] if a == b or (a in (None, "", [], {}) and b in (None, "", [], {})) else [path or "all of it"]


@rule("writing", "within its limits", "As many calls as it allows itself are never more than the system allows")
def within_its_limits(t: Trial) -> None:
    quotas = type(t.standin).default_quotas()
    limits = [rule for rule in t.connector.limits if not isinstance(rule, sdk.Quota)]  # a day is too long to try
    if not quotas:
        raise NotForThis("the stand-in has no limits")
    clock = _Clock()
    budget = Windows(limits, clock=clock.now, wait=clock.wait)
    mine = [_Faked(q.calls, q.per_s, q.matches, q.penalty_s, clock=clock) for q in quotas]
    t.standin.quotas[:] = mine
    try:
        client = open_client(t.laid(unlimited=False), t.shop.settings, budget)
        stream = t.main
        most = min(max(q.calls for q in quotas) + 2, MOST)
        from omnihub.sdk import Want

        while len(t.wire.seen) < most and clock.passed < 3600:
            assert stream.pull
            for _ in stream.pull(client, Want(None, True, t.shop.now)):
                pass
    finally:
        t.standin.quotas[:] = []
    refused = sum(1 for s in t.wire.seen if s.reply.status == 429) + sum(q.refused for q in mine)
    expect(
        not refused, f"{refused} of {len(t.wire.seen)} calls were refused for their rate; are its limits the system's?"
    )


@rule("writing", "told once", "What people are shown is there once, however often it is told, and goes with its cause")
def told_once(t: Trial) -> None:
    place = t.connector.place
    if place is None:
        raise NotForThis("it takes no findings")
    t.pull_well()
    stream, client = t.main, t.client()
    notices = [_notice(stream, id_, "first") for id_ in sorted(t.there(stream.name))[:2]]
    ids = _placed(place.put(client, [(notice, None) for notice in notices]), len(notices))
    before = t.alive()
    again = [replace(notice, title=f"{notice.title}, again") for notice in notices]
    for known in (ids, [None] * len(ids)):  # the hub may have lost the answer
        now = _placed(place.put(client, [*zip(again, known, strict=True)]), len(ids))
        expect(now == ids, f"told again, a notice is another one: {now} is not {ids}")
        expect(t.alive() == before, "told again, a notice is there a second time")
    told = [*zip((notice.key for notice in notices), ids, strict=True)]
    expect(_standing(place, client, told) <= {Standing.OPEN}, "what was told, and nobody has closed, is not open")
    for _ in range(2):
        _placed(place.clear(client, told), len(told))
    expect(Standing.OPEN not in _standing(place, client, told), "what was cleared is still open")
    for _ in range(2):
        _placed(place.remove(client, told), len(told))
        expect(_standing(place, client, told) <= {Standing.GONE}, "what was told by mistake is still there")
    first = _placed(place.put(client, [(notice, None) for notice in notices]), len(notices))
    told = [*zip((notice.key for notice in notices), first, strict=True)]
    expect(_standing(place, client, told) <= {Standing.OPEN}, "what was taken away and is told again is not open")
    _placed(place.remove(client, [(key, None) for key, _ in told]), len(told))
    expect(_standing(place, client, told) <= {Standing.GONE}, "taken away by its key alone, a notice is still there")


def _notice(stream: Stream, id_: str, title: str) -> Notice:
    text = "Phone: says 'x', should say 'y'. Correct it."
    return Notice(f"omnihub-{stream.name}-{id_}", id_, stream.name, title, text, "medium", {"kind": "value_differs"})


def _placed(answers: Iterable[Answer], count: int) -> list[str | None]:
    """The place's ids, where each was taken."""
    found = {answer.n: answer for answer in answers}
    no = [answer for answer in found.values() if answer.outcome is not Outcome.WRITTEN]
    expect(not no, f"a notice was {no[0].outcome}: {no[0].code} {no[0].message}" if no else "")
    expect(sorted(found) == list(range(count)), f"{count} notices were told, and {len(found)} answered for")
    return [found[n].id for n in range(count)]


def _standing(place: Place, client: Any, told: Sequence[Told]) -> set[Standing]:
    return {seen.state for seen in place.read(client, told)} if place.read else set()


class _Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> float:
        return 1_000.0 + self.passed

    def wait(self, seconds: float) -> None:
        self.passed += seconds


class _Faked(Quota):
    """A quota that lives by that clock."""

    def __init__(self, *told: Any, clock: _Clock) -> None:
        super().__init__(*told)
        self.clock, self.refused = clock, 0

    def refusal_s(self, now: float, path: str) -> float | None:
        told = super().refusal_s(self.clock.now(), path)
        self.refused += told is not None
        return told
