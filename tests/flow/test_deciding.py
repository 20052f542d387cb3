"""Deciding: a person's word is kept with its story, holds until its end or its undoing, and is shown again in doubt."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnihub.errors import OmniHubError
from omnihub.flow import Hub, deciding, match_entity, merge_entity
from omnihub.flow.deciding import Pinned, Said, Waiting
from omnihub.match import THRESHOLDS, Thresholds
from omnihub.match.clusters import Queued
from omnihub.model import Entity
from omnihub.store import Store, bulk, schema
from omnihub.store.open import engine_for, latest, take

NOW, LATER, SOON = "2026-01-02T08:00:00Z", "2999-01-02T00:00:00Z", "2999-01-01T00:00:00Z"
A, B, C, D = (f"{ref}" for ref in ("crm/people/1", "crm/people/2", "shop/customers/1", "shop/customers/2"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a few people, made once."""
    file = tmp_path_factory.mktemp("made") / "hub.db"
    filled(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copy(made, tmp_path / "hub.db")
    with closing(Store(engine_for(f"sqlite:///{tmp_path / 'hub.db'}"))) as store:
        yield store


@pytest.fixture
def either(store_url: str) -> Iterator[Store]:
    """On SQLite and on PostgreSQL."""
    with closing(filled(store_url)) as store:
        yield store


def filled(url: str) -> Store:
    store = Store.open(url)
    for n, ref in enumerate((A, B, C, D)):
        record(store, ref, first_name="Anna", last_name="Weber", email=f"a{n}@weber.de")
        golden(store, f"contact_{n}", ref)
    record(store, "crm/firms/1", "account", name="Weber GmbH", country="AT")
    golden(store, "account_0", "crm/firms/1", entity="account")
    record(store, "shop/orders/1", "order", number="1")
    return store


def record(store: Store, ref: str, entity: str = "contact", own: dict[str, str] | None = None, **values: str) -> None:
    system, stream, _ = ref.split("/", 2)
    with store.write() as c:
        row = {
            "ref": ref, "entity": entity, "system": system, "stream": stream, "seq": take(c, 1), "raw_seq": 1,
            "pointer": "", "deleted": False, "fields": json.dumps(values), "times": "{}", "echoes": "{}",
            "own": json.dumps(own or {}), "problems": "{}",
        }  # fmt: skip
        bulk.upsert(c, schema.refined, tuple(row), [tuple(row.values())])


def golden(store: Store, gid: str, *refs: str, entity: str = "contact", into: str | None = None) -> None:
    with store.write() as c:
        seq = take(c, 1)
        row = {
            "id": gid, "entity": entity, "seq": seq, "born": seq, "founder": refs[0], "merged_into": into,
            "fields": json.dumps({"country": "AT"}), "lineage": "{}", "members": len(refs),
        }  # fmt: skip
        bulk.upsert(c, schema.goldens, tuple(row), [tuple(row.values())])
        if not into:
            bulk.upsert(
                c, schema.crosswalk, ("ref", "golden_id", "entity", "seq"), [(ref, gid, entity, seq) for ref in refs]
            )


def merge(store: Store, loser: str, winner: str, *refs: str) -> None:
    with store.write() as c:
        c.execute(sa.update(schema.goldens).where(schema.goldens.c.id == loser).values(merged_into=winner))
        x = schema.crosswalk
        had = json.dumps([loser])
        c.execute(sa.update(x).where(x.c.ref.in_(refs)).values(golden_id=winner, former=had, seq=take(c, 1)))


def say(store: Store, a: str, b: str, verdict: str, because: str = "asked her", until: str | None = None) -> list[Any]:
    return deciding.judge(store, [Said(a, b, verdict, because, "eva", until)])


def mark(store: Store) -> int:
    with store.read() as c:
        return latest(c)


def judged(store: Store, now: str = NOW) -> set[tuple[str, str, str]]:
    with store.read() as c:
        return {(j.a, j.b, j.verdict) for j in deciding.judged(c, Entity.CONTACT, now)}


def awakened(store: Store, since: int, now: str = NOW) -> set[str]:
    with store.read() as c:
        return deciding.awakened(c, Entity.CONTACT, since, now)


def settle(store: Store, now: str = NOW, *refs: str) -> int:
    with store.write() as c:
        return deciding.settle(c, Entity.CONTACT, refs or None, now)


def waiting(store: Store, now: str = NOW) -> list[Waiting]:
    with store.read() as c:
        return deciding.waiting(c, None, now)


def decisions(store: Store) -> list[str]:
    with store.read() as c:
        return list(c.execute(sa.select(schema.decisions.c.what).order_by(schema.decisions.c.seq)).scalars())


# -- judgements ------------------------------------------------------------------------------------------------------


def test_a_judgement_is_kept_whichever_way_round_it_is_said_and_wakes_both(store: Store) -> None:
    since = mark(store)
    say(store, B, A, "same")
    assert judged(store) == {(A, B, "same")}
    assert awakened(store, since) == {A, B}
    assert awakened(store, mark(store)) == set()
    with store.read() as c:
        assert deciding.judged(c, Entity.ACCOUNT, NOW) == []


def test_the_same_word_again_is_nothing_new_and_another_word_takes_its_place(store: Store) -> None:
    say(store, A, B, "same")
    since = mark(store)
    assert say(store, B, A, "same") == []
    assert mark(store) == since
    assert [one["verdict"] for one in say(store, A, B, "different", "saw them both")] == ["different"]
    assert judged(store) == {(A, B, "different")}
    assert decisions(store) == ["judged", "judged"]


def test_what_is_undone_is_gone_but_for_its_story_and_wakes_both(store: Store) -> None:
    say(store, A, B, "different")
    since = mark(store)
    deciding.unjudge(store, B, A, "eva")
    assert judged(store) == set()
    assert awakened(store, since) == {A, B}
    assert decisions(store) == ["judged", "unjudged"]
    with pytest.raises(OmniHubError, match="nobody judged"):
        deciding.unjudge(store, A, B, "eva")


def test_a_judgement_ends_by_itself_and_wakes_both_until_that_is_settled(either: Store) -> None:
    say(either, A, B, "different", until=SOON)
    since = mark(either)
    assert judged(either) == {(A, B, "different")}
    assert awakened(either, since) == set()
    assert judged(either, LATER) == set()
    assert awakened(either, since, LATER) == {A, B}
    settle(either, LATER)
    assert awakened(either, since, LATER) == set(), "its end wakes nobody twice"
    assert decisions(either) == ["judged", "expired"]


def test_a_judgement_wakes_all_that_judgements_tie_to_it(store: Store) -> None:
    say(store, A, B, "same")
    say(store, B, C, "same")
    since = mark(store)
    say(store, C, D, "different")
    assert awakened(store, since) == {A, B, C, D}


def test_golden_records_are_judged_by_all_their_records(store: Store) -> None:
    golden(store, "contact_9", A, B)
    assert [(j["a"], j["b"]) for j in say(store, "contact_9", C, "different")] == [(A, C), (B, C)]
    deciding.unjudge(store, "contact_9", C, "eva")
    assert judged(store) == set()
    assert [(j["a"], j["b"]) for j in say(store, "contact_9", C, "same")] == [(A, C), (B, C)]


def test_an_id_that_was_merged_away_means_the_records_it_had(store: Store) -> None:
    """How a merge that went wrong is taken apart."""
    merge(store, "contact_2", "contact_0", C)
    merge(store, "contact_1", "contact_0", B)
    say(store, "contact_2", "contact_0", "different")
    assert judged(store) == {(A, C, "different"), (B, C, "different")}
    deciding.unjudge(store, "contact_0", "contact_2", "eva")
    assert judged(store) == set()


def test_one_golden_record_is_not_different_from_itself(store: Store) -> None:
    golden(store, "contact_9", A, B)
    with pytest.raises(OmniHubError, match="name two of its records"):
        say(store, "contact_9", "contact_9", "different")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ((A, "crm/people/3", "same"), "did you mean crm/people/"),
        ((A, "crm/poeple/2", "same"), "nobody knows crm/poeple/2"),
        ((A, "contact_X", "same"), "did you mean contact_"),
        ((A, B, "equal"), "is no verdict"),
        ((A, "crm/firms/1", "same"), "not about the same thing: account and contact"),
        ((A, B, "same", "  "), "say why"),
        (("shop/orders/1", A, "same"), "judged are only account, contact, product"),
        ((A, B, "same", "asked", "2020-01-01T00:00:00Z"), "is over already"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_way_out(store: Store, said: tuple[str, ...], told: str) -> None:
    with pytest.raises(OmniHubError, match=told):
        say(store, *said)
    assert decisions(store) == []


def test_of_several_judgements_all_are_kept_or_none_and_the_row_is_named(store: Store) -> None:
    rows = [Said(A, B, "same", "asked", "eva"), Said(A, "crm/people/77", "same", "asked", "eva")]
    with pytest.raises(OmniHubError, match=r"^row 2: nobody knows crm/people/77"):
        deciding.judge(store, rows)
    assert judged(store) == set()


# -- what it rests on ------------------------------------------------------------------------------------------------


def test_different_holds_but_is_asked_again_when_what_was_known_has_changed(store: Store) -> None:
    say(store, A, B, "different")
    settle(store)
    assert waiting(store) == []
    record(store, B, first_name="Anna", last_name="Weber", email="a0@weber.de", phone="+43123456")
    assert settle(store, NOW, B) == 1
    [one] = waiting(store)
    assert (one.kind, one.members, one.since) == ("reopened", (A, B), NOW)
    assert f"email of {B} changed, phone of {B} came" in one.reason
    assert "weber.de" not in one.reason
    assert judged(store) == {(A, B, "different")}
    assert settle(store, LATER, B) == 0, "said once"


def test_what_was_asked_again_is_settled_by_saying_it_again_or_by_the_old_evidence(store: Store) -> None:
    say(store, A, B, "different")
    record(store, B, first_name="Eva", last_name="Weber", email="a1@weber.de")
    settle(store)
    assert [one.kind for one in waiting(store)] == ["reopened"]
    say(store, A, B, "different")
    settle(store)
    assert waiting(store) == []
    record(store, B, first_name="Anna", last_name="Weber", email="a1@weber.de")
    settle(store)
    assert [one.kind for one in waiting(store)] == ["reopened"]
    record(store, B, first_name="Eva", last_name="Weber", email="a1@weber.de")
    settle(store)
    assert waiting(store) == []
    assert decisions(store) == ["judged", "reopened", "judged", "reopened", "settled"]


def test_another_spelling_another_job_and_our_own_writes_are_no_new_evidence(store: Store) -> None:
    say(store, A, B, "different")
    record(store, A, first_name="ANNA", last_name="Wéber", email="a0@weber.de", job_title="CEO", language="de")
    record(store, B, first_name="Ours", last_name="Weber", email="a1@weber.de", own={"first_name": "Anna"})
    settle(store)
    assert waiting(store) == []


def test_same_and_records_that_are_gone_are_not_asked_again(store: Store) -> None:
    say(store, A, B, "same")
    say(store, C, D, "different")
    record(store, A, first_name="Otto")
    with store.write() as c:
        c.execute(sa.update(schema.refined).where(schema.refined.c.ref == C).values(deleted=True, fields="{}"))
    settle(store)
    assert waiting(store) == []


# -- the queue -------------------------------------------------------------------------------------------------------


def test_contradictions_are_listed_with_whoever_said_what_and_how_to_take_each_back(store: Store) -> None:
    say(store, A, B, "same", "one phone")
    say(store, B, C, "same", "one desk")
    say(store, A, C, "different", "twins")
    [one] = waiting(store)
    assert (one.kind, one.members) == ("contradiction", (A, B, C))
    assert all(why in one.reason for why in ("one phone", "one desk", "twins"))
    assert one.settle == tuple(f"omnihub judge --undo {x} {y}" for x, y in ((A, C), (A, B), (B, C)))
    deciding.unjudge(store, B, C, "eva")
    assert waiting(store) == []


def test_an_ended_judgement_contradicts_nobody(store: Store) -> None:
    say(store, A, B, "same", until=SOON)
    say(store, B, C, "same")
    say(store, A, C, "different")
    assert [one.kind for one in waiting(store)] == ["contradiction"]
    assert waiting(store, LATER) == []


def _pairs(store: Store, *rows: tuple[str, str, float]) -> None:
    with store.write() as c:
        told = [(a, b, "contact", weight, "unsure", '{"email": -2.5, "last_name": 6.0}') for a, b, weight in rows]
        bulk.append(c, schema.pairs, ("a", "b", "entity", "weight", "state", "why"), told)


def test_pairs_between_the_thresholds_wait_with_what_speaks_for_and_against(store: Store) -> None:
    _pairs(store, (A, B, 7.0), (C, D, 9.0))
    first, second = waiting(store)
    assert (first.members, second.members) == ((C, D), (A, B))
    assert "for it: last_name (+6.0); against it: email (-2.5)" in first.reason
    assert first.settle == (f"omnihub judge {C} {D} same|different --because …",)
    say(store, C, D, "different")
    say(store, A, B, "unsure", "nobody at home")
    [one] = waiting(store)
    assert "eva was unsure: nobody at home" in one.reason
    golden(store, "contact_9", A, B)
    assert waiting(store) == [], "one customer by other evidence"


def test_what_guards_stopped_waits_until_it_is_no_longer_stopped(either: Store) -> None:
    def stopped(refs: set[str] | None, *rows: Queued) -> int:
        with either.write() as c:
            return deciding.keep_queue(c, Entity.CONTACT, refs, rows)

    one, other = Queued((A, B, C), "they contradict", 12.0, (A, C)), Queued((C, D), "too weak")
    assert stopped(None, one, other) == 2
    assert stopped(None, one, other) == 0, "a second run says nothing"
    assert {w.reason: w.settle for w in waiting(either)} == {
        "they contradict": (f"omnihub judge {A} {C} same|different --because …",),
        "too weak": (f"omnihub judge {C} {D} same|different --because …",),
    }
    assert stopped({A}) == 1, "all that is about A is replaced by nothing"
    assert [w.reason for w in waiting(either)] == ["too weak"]
    say(either, C, D, "different")
    assert waiting(either) == []


# -- ids -------------------------------------------------------------------------------------------------------------


def test_what_ids_need_to_know_is_read_with_all_that_was_merged(store: Store) -> None:
    merge(store, "contact_3", "contact_2", D)
    merge(store, "contact_2", "contact_1", C)
    with store.write() as c:
        deciding.keep_former(c, {D: ("contact_3", "contact_2"), C: ()})
    with store.read() as c:
        crosswalk, goldens, former = deciding.present(c, [D])
    assert crosswalk == {D: "contact_2"}
    assert former == {D: ("contact_3", "contact_2")}
    assert {gid: g.merged_into for gid, g in goldens.items()} == {
        "contact_3": "contact_2", "contact_2": "contact_1", "contact_1": None,
    }  # fmt: skip
    with store.read() as c:
        assert deciding.present(c, [C])[2] == {}


def test_events_tell_which_merge_was_undone(store: Store) -> None:
    told = [
        (101, "contact", "g1", "born", None), (102, "contact", "g2", "merged", "g1"),
        (103, "contact", "g2", "revived", None), (104, "account", "g9", "born", None),
    ]  # fmt: skip
    with store.write() as c:
        columns = ("seq", "entity", "golden_id", "kind", "other_id", "at")
        bulk.append(c, schema.events, columns, [(*row, NOW) for row in told])
    with store.read() as c:
        assert [(e["kind"], e["other_id"]) for e in deciding.events(c, 101, Entity.CONTACT)] == [
            ("merged", "g1"), ("revived", "g1"),
        ]  # fmt: skip
        assert [e["seq"] for e in deciding.events(c, 0, limit=2)] == [101, 102]


# -- pins ------------------------------------------------------------------------------------------------------------


def fix(store: Store, gid: str, field: str, value: str, until: str | None = None) -> list[Any]:
    return deciding.pin(store, [Pinned(gid, field, value, "rang up", "eva", until)], "DE")


def pinned(store: Store, *golden_ids: str, now: str = NOW) -> list[tuple[Any, ...]]:
    with store.read() as c:
        return [tuple(row.values()) for row in deciding.pins_on(c, golden_ids, now).to_pylist()]


def repinned(store: Store, since: int, now: str = NOW) -> set[str]:
    with store.read() as c:
        return deciding.pins_awakened(c, Entity.CONTACT, since, now)


def test_a_pin_is_cleaned_by_its_kind_and_wakes_its_golden_record(store: Store) -> None:
    since = mark(store)
    fix(store, "contact_0", "phone", "01 5321234")
    assert pinned(store, "contact_0") == [("contact_0", "phone", "+4315321234")], "a number of the country it lives in"
    assert repinned(store, since) == {"contact_0"}
    assert fix(store, A, "phone", "+43 1 5321234") == [], "said before, of the same golden record"


def test_an_undone_pin_and_an_ended_one_are_no_more_and_wake_their_golden_record(either: Store) -> None:
    fix(either, "contact_0", "city", "Wien")
    fix(either, "contact_1", "city", "Graz", until=SOON)
    since = mark(either)
    deciding.unpin(either, A, "city", "eva")
    assert repinned(either, since) == {"contact_0"}
    assert pinned(either, "contact_0", "contact_1") == [("contact_1", "city", "Graz")]
    assert pinned(either, "contact_1", now=LATER) == []
    assert repinned(either, since, LATER) == {"contact_0", "contact_1"}
    with either.write() as c:
        assert deciding.end_pins(c, Entity.CONTACT, LATER) == 1
    assert repinned(either, mark(either), LATER) == set()
    assert decisions(either) == ["pinned", "pinned", "unpinned", "outlived"]


def test_a_pin_follows_its_id_into_a_merge_and_back(store: Store) -> None:
    fix(store, "contact_2", "city", "Linz")
    merge(store, "contact_2", "contact_1", C)
    merge(store, "contact_1", "contact_0", B, C)
    assert pinned(store, "contact_0") == [("contact_0", "city", "Linz")]
    fix(store, "contact_2", "phone", "+4315321234")
    assert pinned(store, "contact_0") == [("contact_0", "city", "Linz"), ("contact_0", "phone", "+4315321234")]
    fix(store, "contact_0", "city", "Wien")
    assert pinned(store, "contact_0")[0] == ("contact_0", "city", "Wien"), "said of the living one"
    with store.write() as c:
        c.execute(sa.update(schema.goldens).where(schema.goldens.c.id == "contact_2").values(merged_into=None))
    assert pinned(store, "contact_2") == [("contact_2", "city", "Linz")]


def test_a_pinned_link_leads_to_the_golden_record_that_is_meant_today(store: Store) -> None:
    golden(store, "account_1", "crm/firms/1", entity="account")
    fix(store, A, "account", "account_0")
    merge(store, "account_0", "account_1")
    assert pinned(store, "contact_0") == [("contact_0", "account", "account_1")]
    with pytest.raises(OmniHubError, match="leads to an account"):
        fix(store, A, "account", "contact_1")


def test_an_empty_pin_says_that_there_is_no_value(store: Store) -> None:
    fix(store, "contact_0", "phone", "")
    assert pinned(store, "contact_0") == [("contact_0", "phone", None)]
    with pytest.raises(OmniHubError, match='write "" to pin it as empty'):
        fix(store, "contact_0", "phone", "-")


@pytest.mark.parametrize(
    ("gid", "field", "value", "told"),
    [
        ("contact_0", "phone", "12", "can't be that"),
        ("contact_0", "emial", "x@y.de", "did you mean email"),
        ("contact_X", "email", "x@y.de", "did you mean contact_"),
        ("crm/people/9", "email", "x@y.de", "did you mean crm/people/"),
    ],
)
def test_a_pin_that_cannot_be_is_refused_without_repeating_it(
    store: Store, gid: str, field: str, value: str, told: str
) -> None:
    with pytest.raises(OmniHubError, match=told) as refused:
        fix(store, gid, field, value)
    assert value not in str(refused.value)


# -- in the flow -----------------------------------------------------------------------------------------------------

ANNA = {"first_name": "Anna", "last_name": "Weber", "email": "anna@weber.de", "phone": "+4915112345678"}
EVA = {"first_name": "Eva", "last_name": "Lang", "email": "eva@lang.at", "phone": "+436641234567"}
OTTO = {"first_name": "Otto", "last_name": "Kurz", "email": "otto@kurz.ch"}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("empty") / "hub.db"
    Store.open(f"sqlite:///{file}").close()
    return file


@dataclass
class Life:
    """A hub to which things happen."""

    store: Store
    limits: Thresholds = THRESHOLDS[Entity.CONTACT]

    def match(self, everything: bool = False) -> dict[str, str]:
        """Match what changed, or all there is. Returns who is who."""
        if everything:
            with self.store.write() as c:
                c.execute(sa.delete(schema.watermarks))
        thresholds = THRESHOLDS | {Entity.CONTACT: self.limits}
        match_entity(Hub(self.store, {}, lambda _: {}, thresholds=thresholds), Entity.CONTACT)
        return self.ids()

    def ids(self) -> dict[str, str]:
        with self.store.read() as c:
            return dict(c.execute(sa.select(schema.crosswalk.c.ref, schema.crosswalk.c.golden_id)).all())

    def goldens(self) -> set[tuple[str, str | None]]:
        with self.store.read() as c:
            return {(row.id, row.merged_into) for row in c.execute(sa.select(schema.goldens))}


@pytest.fixture
def life(empty: Path, tmp_path: Path) -> Iterator[Life]:
    shutil.copy(empty, tmp_path / "life.db")
    with closing(Store(engine_for(f"sqlite:///{tmp_path / 'life.db'}"))) as store:
        for ref, known in ((A, ANNA), (B, ANNA), (C, EVA), (D, OTTO)):
            record(store, ref, **known)
        yield Life(store)


@pytest.mark.long  # everyday over real stand-ins: test_judged_for_good.py
def test_different_holds_against_all_evidence_every_rebuild_and_another_model_until_it_is_undone(life: Life) -> None:
    before = life.match()
    assert before[A] == before[B]
    say(life.store, A, B, "different")
    apart = life.match()
    assert apart[A] != apart[B]
    assert life.match(everything=True) == apart
    life.limits = replace(life.limits, unsure=life.limits.unsure - 1)
    assert life.match() == apart
    for n in range(30):
        record(life.store, f"shop/customers/9{n}", first_name="Anna", last_name="Weber", email=f"w{n}@firma{n}.de")
    more = life.match()
    assert {ref: more[ref] for ref in apart} == apart
    deciding.unjudge(life.store, A, B, "eva")
    after = life.match()
    assert {ref: after[ref] for ref in before} == before, "as if it had never been said"
    assert life.match(everything=True) == after


@pytest.mark.long
def test_same_holds_without_any_evidence_and_undone_gives_both_their_ids_back(life: Life) -> None:
    before = life.match()
    say(life.store, C, D, "same")
    one = life.match()
    assert one[C] == one[D] in {before[C], before[D]}
    assert life.match(everything=True) == one
    deciding.unjudge(life.store, C, D, "eva")
    assert life.match() == before
    assert life.match(everything=True) == before
    with life.store.read() as c:
        kinds = [e["kind"] for e in deciding.events(c, 0) if e["kind"] != "born"]
    assert kinds == ["merged", "revived"]


def test_what_is_said_apart_stays_apart_though_others_say_same(life: Life) -> None:
    life.match()
    say(life.store, A, C, "same")
    say(life.store, C, D, "same")
    say(life.store, A, D, "different")
    ids = life.match()
    assert ids[A] != ids[D]
    assert [one.kind for one in waiting(life.store)] == ["contradiction"]


def test_a_judgement_that_ends_lets_the_hub_think_for_itself_again(life: Life) -> None:
    before = life.match()
    say(life.store, A, B, "different")
    life.match()
    with life.store.write() as c:
        c.execute(sa.update(schema.judgements).values(expires_at=NOW))  # its day has passed
    assert life.match() == before
    assert decisions(life.store) == ["judged", "expired"]
    last = mark(life.store)
    life.match()
    assert mark(life.store) == last, "and then nothing more happens"


def test_new_evidence_is_asked_about_and_changes_nothing_by_itself(life: Life) -> None:
    life.match()
    say(life.store, A, B, "different")
    apart = life.match()
    assert waiting(life.store) == []
    record(life.store, B, **(ANNA | {"phone": "+4915112345679"}))
    assert life.match() == apart
    [one] = waiting(life.store)
    assert (one.kind, f"phone of {B} changed" in one.reason) == ("reopened", True)


def test_a_pin_wins_follows_its_record_into_a_merge_and_undone_leaves_no_trace(life: Life) -> None:
    def said(ref: str) -> dict[str, str]:
        ids = life.match()
        merge_entity(Hub(life.store, {}, lambda _: {}), Entity.CONTACT)
        with life.store.read() as c:
            g = schema.goldens
            return json.loads(c.execute(sa.select(g.c.fields).where(g.c.id == ids[ref])).scalar_one())

    before = said(D)
    fix(life.store, D, "email", "Otto@Kurz.li")
    assert said(D) == before | {"email": "otto@kurz.li"}
    say(life.store, A, D, "same")
    assert said(A)["email"] == "otto@kurz.li", "merged, it speaks of both"
    deciding.unjudge(life.store, A, D, "eva")
    assert (said(A)["email"], said(D)["email"]) == ("anna@weber.de", "otto@kurz.li")
    deciding.unpin(life.store, D, "email", "eva")
    assert said(D) == before


moments = st.lists(
    st.one_of(
        st.tuples(st.just("says"), st.sampled_from((A, B, C, D)), st.sampled_from((ANNA, EVA, OTTO))),
        st.tuples(
            st.just("judged"),
            st.sampled_from([(A, B), (A, C), (B, C), (C, D), (A, D)]),
            st.sampled_from(("same", "different")),
        ),
        st.tuples(st.just("matched"), st.just(""), st.booleans()),
    ),
    min_size=2,
    max_size=10,
)


@pytest.mark.long
@given(moments)
@pytest.mark.timeout(600)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_judged_and_undone_leaves_no_trace_in_ids_and_no_rebuild_changes_one(
    empty: Path, moments: list[tuple[str, Any, Any]]
) -> None:
    """Two hubs hear the same of the systems; only in one of them people judge, and take it all back."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        lives = []
        for name in ("judged", "never"):
            shutil.copy(empty, folder / name)
            lives.append(Life(stack.enter_context(closing(Store(engine_for(f"sqlite:///{folder / name}"))))))
        for one in lives:
            for ref, known in ((A, ANNA), (B, ANNA), (C, EVA), (D, OTTO)):
                record(one.store, ref, **known)
            one.match()
        _live(lives[0], moments, people=True)
        _live(lives[1], moments, people=False)
        with lives[0].store.read() as c:
            said = deciding.judgements(c, NOW)
        for row in said:
            deciding.unjudge(lives[0].store, row["a"], row["b"], "eva")
        ids = [one.match() for one in lives]
        assert _groups(ids[0]) == _groups(ids[1])
        assert [one.match(everything=True) for one in lives] == ids
        if not any(what == "says" for what, *_ in moments):
            assert ids[0] == ids[1]


def _live(life: Life, moments: list[tuple[str, Any, Any]], people: bool) -> None:
    for what, who, more in moments:
        if what == "says":
            record(life.store, who, **more)
        elif what == "judged" and people:
            say(life.store, *who, more)
        elif what == "matched":
            found = life.match()
            if more:
                assert life.match(everything=True) == found


def _groups(ids: dict[str, str]) -> set[frozenset[str]]:
    return {frozenset(ref for ref, other in ids.items() if other == gid) for gid in ids.values()}
