"""Merging: which member's value wins, and that every golden cell can say why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnihub import fields
from omnihub.merge import LINKS, MEMBERS, PINS, Rules, survive
from omnihub.model import ENTITIES, Entity, Kind

NOW, YEAR_AGO, LONG_AGO = "2026-11-01T00:00:00Z", "2025-11-01T00:00:00Z", "2016-11-01T00:00:00Z"


def member(
    ref: str,
    values: Mapping[str, str],
    at: str | Mapping[str, str] = NOW,
    echoes: Sequence[str] = (),
    edits: Sequence[str] = (),
    golden_id: str = "g",
) -> dict[str, Any]:
    """One record of a golden one. `at`: since when it has its values, all of them or by field."""
    times = dict(at) if isinstance(at, Mapping) else dict.fromkeys(values, at)
    return {
        "golden_id": golden_id,
        "ref": ref,
        "system": ref.split("/")[0],
        "raw_seq": 7,
        "fields": json.dumps(dict(values), ensure_ascii=False),
        "times": json.dumps(times),
        "echoes": json.dumps(list(echoes)),
        "edits": json.dumps(list(edits)),
    }


def merged(
    *members: dict[str, Any],
    entity: Entity = Entity.CONTACT,
    pins: Sequence[tuple[str, str, str | None]] = (),
    links: Mapping[str, str] | None = None,
    rules: Rules | None = None,
) -> dict[str, Any]:
    """golden id → (fields, lineage)."""
    found = survive(
        entity,
        pa.Table.from_pylist(list(members), schema=MEMBERS),
        pa.Table.from_pylist([{"ref": r, "golden_id": g} for r, g in (links or {}).items()], schema=LINKS),
        pa.Table.from_pylist([dict(zip(PINS.names, p, strict=True)) for p in pins], schema=PINS),
        rules or Rules(),
    )
    return {
        r["golden_id"]: (json.loads(r["fields"]), json.loads(r["lineage"]), r["members"]) for r in found.to_pylist()
    }


def golden(*members: dict[str, Any], **more: Any) -> dict[str, str]:
    return dict(merged(*members, **more)["g"][0])


# -- who wins --------------------------------------------------------------------------------------------------------


def test_what_one_record_alone_says_is_taken() -> None:
    assert golden(member("crm/c/1", {"phone": "+1"}), member("shop/c/2", {"email": "a@x.de"})) == {
        "phone": "+1",
        "email": "a@x.de",
    }


def test_what_two_say_wins_over_what_one_says() -> None:
    found = golden(
        member("crm/c/1", {"phone": "+1"}), member("shop/c/2", {"phone": "+2"}), member("desk/c/3", {"phone": "+2"})
    )
    assert found == {"phone": "+2"}


def test_values_merely_written_otherwise_stand_together() -> None:
    spellings = [
        member("a/c/1", {"job_title": "BUYER"}),
        member("b/c/2", {"job_title": "Buyer"}),
        member("c/c/3", {"job_title": "CEO"}),
    ]
    assert golden(*spellings)["job_title"].lower() == "buyer"


@pytest.mark.parametrize(("old", "winner"), [(NOW, "+1"), (YEAR_AGO, "+2"), (LONG_AGO, "+2")])
def test_an_older_value_counts_less(old: str, winner: str) -> None:
    """At the same age the first in order of what they say; a year older counts half."""
    assert golden(member("crm/c/1", {"phone": "+1"}, old), member("shop/c/2", {"phone": "+2"}, NOW))["phone"] == winner


def test_two_old_agreeing_values_lose_to_a_new_one_once_each_counts_less_than_half() -> None:
    old = "2025-10-01T00:00:00Z"
    crm, desk = member("crm/c/1", {"phone": "+1"}, old), member("desk/c/1", {"phone": "+1"}, old)
    shop = member("shop/c/2", {"phone": "+2"}, NOW)
    assert golden(crm, desk, shop)["phone"] == "+2"
    assert golden(crm, desk, shop, rules=Rules(half_life_days=3650))["phone"] == "+1"


def test_a_value_nobody_can_date_loses_to_one_just_set() -> None:
    assert golden(member("a/c/1", {"phone": "+1"}, ""), member("b/c/2", {"phone": "+2"}, NOW))["phone"] == "+2"
    assert golden(member("a/c/1", {"phone": "+1"}, {}))["phone"] == "+1"


def test_a_trusted_system_outweighs_others() -> None:
    three = [
        member("crm/c/1", {"phone": "+1"}),
        member("shop/c/2", {"phone": "+2"}),
        member("desk/c/3", {"phone": "+2"}),
    ]
    assert golden(*three, rules=Rules(trust={"shop": 0.2, "desk": 0.2}))["phone"] == "+1"


def test_an_edit_somebody_was_seen_to_make_wins_over_old_agreement() -> None:
    said = [
        member("a/c/1", {"phone": "+1"}),
        member("b/c/2", {"phone": "+1"}),
        member("c/c/3", {"phone": "+2"}, NOW, edits=["phone"]),
    ]
    assert golden(*said)["phone"] == "+2"


def test_of_two_edits_the_later_wins() -> None:
    first = member("a/c/1", {"phone": "+1"}, YEAR_AGO, edits=["phone"])
    later = member("b/c/2", {"phone": "+2"}, NOW, edits=["phone"])
    assert golden(first, later)["phone"] == golden(later, first)["phone"] == "+2"


def test_the_rule_recent_takes_the_newest_whatever_others_agree_on() -> None:
    rules = Rules(fields={(Entity.CONTACT, "phone"): "recent"})
    said = [
        member("a/c/1", {"phone": "+1"}, YEAR_AGO),
        member("b/c/2", {"phone": "+1"}, YEAR_AGO),
        member("c/c/3", {"phone": "+2"}, NOW),
    ]
    assert golden(*said, rules=Rules(half_life_days=1e6))["phone"] == "+1"
    assert golden(*said, rules=rules)["phone"] == "+2"


def test_nothing_is_said_where_nobody_says_anything() -> None:
    assert merged(member("crm/c/1", {}))["g"] == ({}, {}, 1)


def test_each_golden_record_is_decided_by_its_own_members() -> None:
    found = merged(member("a/c/1", {"phone": "+1"}), member("a/c/2", {"phone": "+2"}, golden_id="h"))
    assert {gid: f["phone"] for gid, (f, _, _) in found.items()} == {"g": "+1", "h": "+2"}
    assert [n for _, _, n in found.values()] == [1, 1]


# -- groups ----------------------------------------------------------------------------------------------------------


def test_an_address_is_taken_from_one_record_whole() -> None:
    old = member("crm/c/1", {"street": "Gasse 1", "city": "Bonn", "postal_code": "53111", "region": "NRW"}, YEAR_AGO)
    new = member("shop/c/2", {"street": "Weg 2", "city": "Köln", "postal_code": "50667"}, NOW)
    assert golden(old, new) == {"street": "Weg 2", "city": "Köln", "postal_code": "50667"}


def test_a_fuller_address_wins_over_a_bare_country() -> None:
    full = member("crm/c/1", {"street": "Gasse 1", "city": "Bonn", "country": "DE"})
    bare = [member(f"desk/c/{n}", {"country": "AT"}) for n in range(2)]
    assert golden(full, *bare)["city"] == "Bonn"


def test_a_name_never_takes_its_halves_from_two_records() -> None:
    found = golden(
        member("a/c/1", {"first_name": "Anna", "last_name": "Weber"}, YEAR_AGO),
        member("b/c/2", {"first_name": "Ana", "last_name": "Beier"}),
    )
    assert found == {"first_name": "Ana", "last_name": "Beier"}


# -- permission ------------------------------------------------------------------------------------------------------


def test_the_strictest_consent_wins_however_many_say_yes() -> None:
    yes = [member(f"{s}/c/1", {"marketing_consent": "yes", "consent_at": NOW}, NOW) for s in ("a", "b", "c")]
    no = member("d/c/1", {"marketing_consent": "no", "consent_at": YEAR_AGO}, LONG_AGO)
    assert golden(*yes, no) == {"marketing_consent": "no", "consent_at": YEAR_AGO}


def test_consent_is_no_matter_of_trust() -> None:
    said = [member("a/c/1", {"marketing_consent": "yes"}), member("b/c/2", {"marketing_consent": "no"})]
    assert golden(*said, rules=Rules(trust={"b": 0.0}))["marketing_consent"] == "no"


# -- echoes, pins, masters -------------------------------------------------------------------------------------------


def test_our_own_word_come_back_is_no_vote_against_its_origin() -> None:
    origin = member("crm/c/1", {"phone": "+2"}, YEAR_AGO)
    echoes = [member(f"{s}/c/1", {"phone": "+1"}, NOW, echoes=["phone"]) for s in ("a", "b", "c")]
    assert golden(origin, *echoes)["phone"] == "+2"


def test_an_echo_speaks_where_nobody_else_does() -> None:
    assert (
        golden(member("a/c/1", {"phone": "+1"}, echoes=["phone"]), member("b/c/2", {"email": "a@x.de"}))["phone"]
        == "+1"
    )


def test_where_only_echoes_are_left_half_a_name_written_last_does_not_win() -> None:
    whole = member("a/c/1", {"first_name": "Ana", "last_name": "Weber"}, YEAR_AGO, echoes=["first_name"])
    half = member("b/c/2", {"first_name": "Ana"}, NOW, echoes=["first_name"])
    assert golden(whole, half) == {"first_name": "Ana", "last_name": "Weber"}


def test_an_address_of_which_we_wrote_a_part_is_no_vote_either() -> None:
    """We wrote the street; the city was right already. A move told by the origin must not be outvoted by that."""
    there = {"street": "Weg 2", "city": "Bonn"}
    ours = [member(f"{s}/c/1", there, "2026-10-01T00:00:00Z", echoes=["street"]) for s in ("a", "b", "c")]
    origin = member("crm/c/1", {"street": "Platz 3", "city": "Ulm"}, NOW)
    assert golden(origin, *ours) == {"street": "Platz 3", "city": "Ulm"}


def test_an_address_somebody_changed_after_us_is_theirs_again() -> None:
    corrected = member(
        "a/c/1",
        {"street": "Weg 2", "city": "Ulm"},
        {"street": YEAR_AGO, "city": NOW},
        echoes=["street"],
        edits=["city"],
    )
    assert golden(member("crm/c/1", {"street": "Weg 2", "city": "Bonn"}, YEAR_AGO), corrected)["city"] == "Ulm"


def test_a_pin_wins_over_everything_and_says_so() -> None:
    said = [member("a/c/1", {"phone": "+1"}, edits=["phone"]), member("b/c/2", {"phone": "+1"})]
    fields_, lineage, _ = merged(*said, pins=[("g", "phone", "+9")])["g"]
    assert fields_["phone"] == "+9"
    assert (lineage["phone"]["rule"], lineage["phone"]["ref"]) == ("pin", "")
    assert [loser["ref"] for loser in lineage["phone"]["losers"]] == ["a/c/1", "b/c/2"]


def test_a_pin_may_say_that_there_is_no_value_or_one_nobody_has() -> None:
    one = member("a/c/1", {"phone": "+1"})
    assert golden(one, pins=[("g", "phone", None)]) == {}
    assert golden(one, pins=[("g", "email", "a@x.de")]) == {"phone": "+1", "email": "a@x.de"}


def test_a_pin_of_another_golden_record_does_nothing_here() -> None:
    assert merged(member("a/c/1", {"phone": "+1"}), pins=[("h", "phone", "+9")]).keys() == {"g"}
    assert golden(member("a/c/1", {"phone": "+1"}), pins=[("h", "phone", "+9")])["phone"] == "+1"


def test_the_master_is_right_about_products_whoever_says_otherwise() -> None:
    shops = [member(f"shop{n}/p/1", {"name": "Pump"}, edits=["name"]) for n in range(3)]
    master = member("pim/p/1", {"name": "Pump 3000"}, LONG_AGO)
    assert golden(*shops, master, entity=Entity.PRODUCT, rules=Rules(masters=frozenset({"pim"})))["name"] == "Pump 3000"


# -- links -----------------------------------------------------------------------------------------------------------


def test_links_agree_when_they_lead_to_the_same_golden_record() -> None:
    links = {"crm/a/1": "account_x", "shop/a/9": "account_x", "desk/a/5": "account_y"}
    said = [
        member("crm/c/1", {"account": "crm/a/1"}),
        member("shop/c/2", {"account": "shop/a/9"}),
        member("desk/c/3", {"account": "desk/a/5"}),
    ]
    assert golden(*said, links=links) == {"account": "account_x"}


def test_a_link_that_leads_nowhere_never_wins() -> None:
    said = [member("crm/c/1", {"account": "crm/a/404"}), member("shop/c/2", {"account": "shop/a/9"}, LONG_AGO)]
    assert golden(*said, links={"shop/a/9": "account_x"}) == {"account": "account_x"}
    assert golden(said[0]) == {}


# -- lineage ---------------------------------------------------------------------------------------------------------


def test_lineage_names_the_winner_its_rule_and_all_losers() -> None:
    said = [
        member("a/c/1", {"phone": "+1"}),
        member("b/c/2", {"phone": "+2"}, YEAR_AGO),
        member("c/c/3", {"phone": "+1"}),
    ]
    _, lineage, members = merged(*said)["g"]
    assert lineage["phone"] == {
        "ref": "a/c/1",
        "rule": "trusted",
        "raw_seq": 7,
        "time": NOW,
        "losers": [
            {"ref": "b/c/2", "value": "+2", "time": YEAR_AGO},
            {"ref": "c/c/3", "value": "+1", "time": NOW},
        ],
    }
    assert members == 3


# -- what always holds -----------------------------------------------------------------------------------------------

VALUES = {
    "first_name": ["Anna", "ANNA", "Ana"],
    "last_name": ["Weber", "Müller"],
    "phone": ["+4930111111", "+4930222222"],
    "email": ["a@x.de", "b@x.de"],
    "street": ["Gasse 1", "Weg 2", "weg 2"],
    "city": ["Bonn", "Köln"],
    "country": ["DE", "AT"],
    "account": ["crm/a/1", "crm/a/2", "crm/a/404"],
    "marketing_consent": ["yes", "no"],
    "consent_at": [NOW, YEAR_AGO],
}
LINKED = {"crm/a/1": "account_x", "crm/a/2": "account_y"}
KINDS = {name: f.kind for name, f in ENTITIES[Entity.CONTACT].items()}
GROUPS = {name: f.group for name, f in ENTITIES[Entity.CONTACT].items()}

said = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in VALUES.items()})
some = st.lists(st.sampled_from(list(VALUES)), unique=True, max_size=4)
ids = [f"g{n}" for n in range(8)]  # many golden records an example: one call costs much the same for one and for many
records = st.lists(
    st.tuples(
        st.sampled_from(["crm", "shop", "desk"]),
        said,
        st.sampled_from([NOW, YEAR_AGO, "2026-05-05T12:00:00Z", ""]),
        some,
        some,
        st.sampled_from(ids),
    ),
    min_size=1,
    max_size=40,
)
pins = st.dictionaries(
    st.tuples(st.sampled_from(ids), st.sampled_from(["phone", "city"])), st.none() | st.just("pinned")
)
RULES = Rules(fields={(Entity.CONTACT, "email"): "recent"}, trust={"shop": 0.5})


def built(drawn: Sequence[tuple[str, dict[str, str], str, list[str], list[str], str]]) -> list[dict[str, Any]]:
    return [member(f"{s}/c/{n}", v, at, e, d, gid) for n, (s, v, at, e, d, gid) in enumerate(drawn)]


@settings(max_examples=12)
@given(records, pins)
def test_every_golden_cell_is_what_its_winner_holds_and_groups_never_mix(
    drawn: list[Any], pinned: dict[tuple[str, str], str | None]
) -> None:
    members = built(drawn)
    held = {m["ref"]: json.loads(m["fields"]) for m in members}
    found = merged(*members, pins=[(gid, f, v) for (gid, f), v in pinned.items()], links=LINKED, rules=RULES)
    assert found.keys() == {m["golden_id"] for m in members}
    for gid, (values, lineage, count) in found.items():
        mine = {m["ref"]: m for m in members if m["golden_id"] == gid}
        assert count == len(mine)
        assert values.keys() == lineage.keys()
        groups: dict[str, set[str]] = {}
        for name, value in values.items():
            story = lineage[name]
            saying = {ref for ref in mine if name in held[ref] and _leads_somewhere(name, held[ref][name])}
            assert {loser["ref"] for loser in story["losers"]} == saying - {story["ref"]}, "all losers, nobody else"
            assert (story["rule"] == "pin") == ((gid, name) in pinned)
            if story["rule"] == "pin":
                assert value == pinned[gid, name]
                continue
            there = held[story["ref"]][name]
            assert value == (LINKED[there] if KINDS[name] is Kind.LINK else there)
            assert story["ref"] in mine
            groups.setdefault(GROUPS[name] or name, set()).add(story["ref"])
        assert all(len(refs) == 1 for refs in groups.values()), "a group is from one record"
        assert not {name for (g, name), v in pinned.items() if g == gid and v is None} & values.keys()
        if any(held[ref].get("marketing_consent") == "no" and not _is_echo(m) for ref, m in mine.items()):
            assert values["marketing_consent"] == "no"


def _leads_somewhere(name: str, value: str) -> bool:
    return KINDS[name] is not Kind.LINK or value in LINKED


def _is_echo(one: dict[str, Any]) -> bool:
    return bool({"marketing_consent", "consent_at"} & set(json.loads(one["echoes"])) & json.loads(one["fields"]).keys())


@settings(max_examples=12)
@given(records, st.randoms())
def test_the_outcome_does_not_depend_on_the_order_of_the_members(drawn: list[Any], random: Any) -> None:
    members = built(drawn)
    shuffled = list(members)
    random.shuffle(shuffled)
    assert merged(*members, links=LINKED, rules=RULES) == merged(*shuffled, links=LINKED, rules=RULES)


@settings(max_examples=8)
@given(records)
def test_merging_some_golden_records_gives_what_merging_all_gives(drawn: list[Any]) -> None:
    """Work follows change: nothing of a golden record depends on which others are merged with it."""
    members = built(drawn)
    together = merged(*members, links=LINKED, rules=RULES)
    some = set(list(together)[::2])
    apart = merged(*(m for m in members if m["golden_id"] in some), links=LINKED, rules=RULES)
    assert apart == {gid: one for gid, one in together.items() if gid in some}


@settings(max_examples=12)
@given(records)
def test_once_all_systems_hold_the_golden_values_nothing_more_changes(drawn: list[Any]) -> None:
    """Everything was written back and came back as an echo: the golden record stays as it is."""
    members = built(drawn)
    before = {gid: values for gid, (values, _, _) in merged(*members, rules=RULES).items()}
    written = [_written(m, before[m["golden_id"]]) for m in members]
    after = {gid: values for gid, (values, _, _) in merged(*written, rules=RULES).items()}
    for gid, values in before.items():
        assert values.keys() == after[gid].keys()
        assert [n for n in values if not fields.same(KINDS[n], after[gid][n], values[n])] == []


def _written(one: dict[str, Any], right: Mapping[str, str]) -> dict[str, Any]:
    """The record once the golden values were written to it, as the next pull finds it."""
    values, times = json.loads(one["fields"]), json.loads(one["times"])
    more = {GROUPS[n] for n in values if GROUPS[n] and n not in right}  # groups that would be torn by writing to them
    wrong = [
        n for n in values if n in right and not fields.same(KINDS[n], values[n], right[n]) and GROUPS[n] not in more
    ]
    values |= {n: right[n] for n in wrong}
    times |= dict.fromkeys(wrong, "2026-12-01T00:00:00Z")
    edits = [n for n in json.loads(one["edits"]) if n not in wrong]
    return member(one["ref"], values, times, sorted({*json.loads(one["echoes"]), *wrong}), edits, one["golden_id"])
