"""Gates: what they stop is in no plan, whoever approves it; what they let through is as it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnihub.model import ENTITIES, Change, Entity, Kind, Op, Ref
from omnihub.push.gates import CONSENT, MASTER, REGION, WHITE_LIST, Facts, Gates, counted, let_through, strictest
from omnihub.sdk.connector import CREATING, REACHING

MAILER, CRM, LIST = ("mailer", "people"), ("crm", "people"), ("list", "products")
MARKETING = frozenset({"marketing"})
FIELDS = frozenset({"first_name", "last_name", "email", "phone", "street", "city", "birth_date", "marketing_consent"})
GATES = Gates(
    writable={MAILER: FIELDS, CRM: FIELDS, ("shop", "products"): frozenset({"name", "price"})},
    masters=frozenset({"list"}),
    regions={"crm": "EU", "mailer": "US"},
    stays_in={(Entity.CONTACT, "birth_date"): frozenset({"EU"})},
    purposes={MAILER: {name: frozenset(purposes) for name, purposes in REACHING.items()}},
)
SAID_NO = Facts({"contact_a": {"marketing": "no"}})


def change(
    field: str = "email",
    new: str | None = "a@b.de",
    where: tuple[str, str] = MAILER,
    op: Op = Op.UPDATE,
    golden_id: str = "contact_a",
    id_: str = "1",
) -> Change:
    return Change(Ref(*where, id_), field, None, new, "why", golden_id, op)


def stopped(*changes: Change, facts: Facts = SAID_NO, gates: Gates = GATES, restoring: bool = False) -> list[str]:
    """field: gate, of what is kept back."""
    _, kept = let_through(changes, gates, facts, restoring)
    return [f"{one.change.field}: {one.gate}" for one in kept]


# -- consent ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["email", "phone"])
def test_whoever_said_no_is_given_no_way_to_be_reached(field: str) -> None:
    assert stopped(change(field)) == [f"{field}: {CONSENT}"]


def test_putting_a_name_right_is_no_marketing() -> None:
    assert stopped(change("last_name", "Weber")) == []


def test_a_system_that_does_not_write_to_people_by_itself_may_know_how_to() -> None:
    assert stopped(change("email", where=CRM)) == []


def test_taking_a_way_to_reach_somebody_away_is_welcome() -> None:
    assert stopped(change("email", None)) == []


def test_a_no_is_written_and_a_yes_is_not_over_a_no() -> None:
    assert stopped(change("marketing_consent", "no", CRM)) == []
    assert stopped(change("marketing_consent", "yes", CRM)) == [f"marketing_consent: {CONSENT}"]


def test_no_record_is_made_of_whoever_said_no_where_it_would_be_written_to() -> None:
    new = [change(f, op=Op.CREATE) for f in ("first_name", "last_name", "email")]
    assert stopped(*new) == [f"{f}: {CONSENT}" for f in ("first_name", "last_name", "email")]
    assert stopped(*(replace(c, ref=Ref(*CRM, "+contact_a")) for c in new)) == []


def test_a_record_is_not_made_where_only_one_of_its_fields_reaches_somebody() -> None:
    gates = replace(GATES, purposes={MAILER: {"email": MARKETING}})
    assert len(stopped(change("last_name", op=Op.CREATE), change("email", op=Op.CREATE), gates=gates)) == 2


def test_silence_is_no_no_unless_the_settings_say_so() -> None:
    nobody = Facts()
    assert stopped(change(), facts=nobody) == []
    strict = replace(GATES, unknown_is_no=MARKETING)
    assert stopped(change(), facts=nobody, gates=strict) == [f"email: {CONSENT}"]
    assert stopped(change(), facts=Facts({"contact_a": {"marketing": "yes"}}), gates=strict) == []


def test_a_no_to_something_else_stops_nothing() -> None:
    assert stopped(change(), facts=Facts({"contact_a": {"service": "no"}})) == []


def test_what_was_there_is_not_given_back_to_a_marketing_system_of_whoever_said_no() -> None:
    assert stopped(change(), restoring=True) == [f"email: {CONSENT}"]


# -- region ----------------------------------------------------------------------------------------------------------


def test_a_field_that_stays_in_a_region_is_written_to_no_system_outside() -> None:
    born = "1980-02-01"
    assert stopped(change("birth_date", born, MAILER), change("birth_date", born, CRM)) == [f"birth_date: {REGION}"]


def test_a_system_nobody_told_the_region_of_is_outside() -> None:
    assert stopped(change("birth_date", "1980-02-01", CRM), gates=replace(GATES, regions={})) == [
        f"birth_date: {REGION}"
    ]


def test_what_may_not_be_there_may_be_taken_away() -> None:
    assert stopped(change("birth_date", None, MAILER)) == []


def test_a_part_of_an_address_that_stays_keeps_the_rest_of_it() -> None:
    gates = replace(GATES, stays_in={(Entity.CONTACT, "street"): frozenset({"EU"})})
    assert stopped(change("street"), change("city"), change("last_name"), gates=gates) == [
        f"street: {REGION}",
        f"city: {REGION}",
    ]


def test_a_new_record_is_made_without_what_may_not_leave() -> None:
    new = [change("birth_date", "1980-02-01", op=Op.CREATE), change("last_name", "Weber", op=Op.CREATE)]
    assert stopped(*new, facts=Facts()) == [f"birth_date: {REGION}"]


# -- white lists and masters -----------------------------------------------------------------------------------------


def test_only_what_is_on_the_white_list_is_written() -> None:
    assert stopped(change("language", "de", CRM)) == [f"language: {WHITE_LIST}"]
    assert stopped(change(where=("crm", "tickets"))) == [f"email: {WHITE_LIST}"]


def test_a_master_is_never_written() -> None:
    open_ = replace(GATES, writable={LIST: frozenset({"name"})})
    assert stopped(change("name", "Pump", LIST, golden_id="product_a"), gates=open_) == [f"name: {MASTER}"]


def test_where_a_master_speaks_nobody_else_does() -> None:
    facts = Facts(mastered={("product_a", "price"): "10.00"})
    shop = ("shop", "products")
    assert stopped(change("price", "12.00", shop, golden_id="product_a"), facts=facts) == [f"price: {MASTER}"]
    assert stopped(change("price", "10.00", shop, golden_id="product_a"), facts=facts) == []
    assert stopped(change("name", "Pump", shop, golden_id="product_a"), facts=facts) == []
    assert stopped(change("price", "12.00", shop, golden_id="product_a"), facts=facts, restoring=True) == []


# -- what is told ----------------------------------------------------------------------------------------------------


def test_what_is_kept_back_is_counted_in_words_the_most_first() -> None:
    some = [change("birth_date", "1980-02-01"), *(change(id_=str(n)) for n in range(1, 13))]
    _, kept = let_through(some, GATES, SAID_NO)
    assert [one["words"] for one in counted(kept)] == [
        "12 changes kept back: no consent for marketing",
        "1 change kept back: birth_date stays in EU, and mailer is in US",
    ]
    [most, _] = counted(kept)
    assert (most["gate"], most["system"], most["field"], most["count"]) == (CONSENT, "mailer", "email", 12)
    assert most["examples"] == ["mailer/people/1", "mailer/people/10", "mailer/people/11"]


# -- whatever the world is like --------------------------------------------------------------------------------------

NAMES = sorted(ENTITIES[Entity.CONTACT])
SYSTEMS = ("a", "b", "c")
WORDS = st.sampled_from(["yes", "no", None])
PURPOSES = st.sets(st.sampled_from(["marketing", "service"]), max_size=2).map(frozenset)
FEW = st.sets(st.sampled_from(NAMES), max_size=6).map(frozenset)

worlds = st.builds(
    Gates,
    writable=st.dictionaries(st.tuples(st.sampled_from(SYSTEMS), st.just("people")), FEW),
    masters=st.sets(st.sampled_from(SYSTEMS), max_size=1).map(frozenset),
    regions=st.dictionaries(st.sampled_from(SYSTEMS), st.sampled_from(["EU", "US"])),
    stays_in=st.dictionaries(
        st.tuples(st.just(Entity.CONTACT), st.sampled_from(NAMES)), st.just(frozenset({"EU"})), max_size=4
    ),
    purposes=st.dictionaries(
        st.tuples(st.sampled_from(SYSTEMS), st.just("people")),
        st.dictionaries(st.sampled_from([*NAMES, CREATING]), PURPOSES, max_size=5),
    ),
    unknown_is_no=PURPOSES,
)
differing = st.builds(
    lambda system, n, field, new, op, who: Change(
        Ref(system, "people", str(n)), field, None, new, "why", f"contact_{who}", op
    ),
    st.sampled_from(SYSTEMS),
    st.integers(1, 3),
    st.sampled_from(NAMES),
    st.sampled_from(["x", "yes", "no", None]),
    st.sampled_from([Op.UPDATE, Op.CREATE]),
    st.sampled_from("pq"),
)
people = st.dictionaries(
    st.sampled_from(["contact_p", "contact_q"]),
    st.dictionaries(st.sampled_from(["marketing", "service"]), st.lists(WORDS, max_size=4)),
)


def forbidden(c: Change, gates: Gates, voices: Mapping[str, Mapping[str, list[str | None]]]) -> bool:
    """Said again, from the promise: it would reach somebody any of whose words is no (or, where silence is a no, none
    of whose is a yes), or leave its region, or is not to be written at all."""
    told = gates.purposes.get((c.ref.system, c.ref.stream), {})
    reaches = set(told.get(c.field, ())) | (set(told.get(CREATING, ())) if c.op is Op.CREATE else set())
    consent = ENTITIES[Entity.CONTACT][c.field].kind is Kind.CONSENT
    reaches |= {"marketing"} if consent else set()
    tightens = c.new is None or (consent and c.new == "no")
    words = {purpose: voices.get(c.golden_id, {}).get(purpose, []) for purpose in reaches}
    said_no = any("no" in w or (p in gates.unknown_is_no and "yes" not in w) for p, w in words.items())
    outside = (
        (Entity.CONTACT, c.field) in gates.stays_in and c.new is not None and gates.regions.get(c.ref.system) != "EU"
    )
    closed = c.ref.system in gates.masters or c.field not in gates.writable.get((c.ref.system, c.ref.stream), ())
    return (said_no and not tightens) or outside or closed


@given(worlds, st.lists(differing, max_size=12), people, st.booleans())
def test_no_plan_ever_holds_what_a_gate_forbids(
    gates: Gates, changes: list[Change], voices: dict[str, dict[str, list[str | None]]], restoring: bool
) -> None:
    facts = Facts(
        {gid: {p: word for p, words in of.items() if (word := strictest(words))} for gid, of in voices.items()}
    )
    through, kept = let_through(changes, gates, facts, restoring)
    assert not [c for c in through if forbidden(c, gates, voices)]
    assert sorted(map(repr, [*through, *(one.change for one in kept)])) == sorted(map(repr, changes))
    first = {id(c) for c in changes if forbidden(c, gates, voices)}
    units = {(c.ref, ENTITIES[Entity.CONTACT][c.field].group or c.field) for c in changes if id(c) in first}
    records = {c.ref for c in changes if id(c) in first and c.op is Op.CREATE}
    for one in kept:  # and nothing is kept back without need
        unit = one.change.ref, ENTITIES[Entity.CONTACT][one.change.field].group or one.change.field
        assert id(one.change) in first or unit in units or one.change.ref in records
