"""Merging: which member's value wins, and that every golden cell can say why."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnihub import fields
from omnihub.merge import LINKS, MEMBERS, PINS, Rules, survive
from omnihub.merge.rules import WHY
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


def test_an_initial_gives_way_to_the_name_it_begins_however_many_write_it_and_however_lately() -> None:
    short, full = {"first_name": "C.", "last_name": "Wood"}, {"first_name": "Candace", "last_name": "Wood"}
    assert golden(member("shop/c/1", short), member("desk/c/2", short), member("crm/c/3", full, YEAR_AGO)) == full
    assert golden(member("shop/c/1", short)) == short


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


@pytest.mark.parametrize("written", [YEAR_AGO, NOW], ids=["long after", "in the same second, or between two pulls"])
def test_an_address_somebody_changed_after_us_is_theirs_again(written: str) -> None:
    corrected = member(
        "a/c/1",
        {"street": "Weg 2", "city": "Ulm"},
        {"street": written, "city": NOW},
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
            {"ref": "b/c/2", "value": "+2", "time": YEAR_AGO, "why": "outweighed"},
            {"ref": "c/c/3", "value": "+1", "time": NOW, "why": "agrees"},
        ],
    }
    assert members == 3


# -- the other rules -------------------------------------------------------------------------------------------------


def ruled(rule: str, entity: Entity = Entity.CONTACT, of: Sequence[str] = ("phone",), **more: Any) -> Rules:
    return Rules(fields={(entity, name): rule for name in of}, **more)


def in_order(*systems: str, of: Sequence[str] = ("phone",)) -> Rules:
    return ruled("order", of=of, orders={(Entity.CONTACT, name): systems for name in of})


def lost(*members: dict[str, Any], field: str = "phone", **more: Any) -> dict[str, str]:
    """ref → why it lost."""
    return {one["ref"]: one["why"] for one in merged(*members, **more)["g"][1][field]["losers"]}


def test_the_order_of_systems_decides_whoever_agrees_and_however_old_it_is() -> None:
    said = [
        member("a/c/1", {"phone": "+1"}, LONG_AGO),
        member("b/c/2", {"phone": "+2"}),
        member("c/c/3", {"phone": "+2"}, edits=["phone"]),
    ]
    assert golden(*said, rules=in_order("a", "b"))["phone"] == "+1"
    assert lost(*said, rules=in_order("a", "b")) == dict.fromkeys(["b/c/2", "c/c/3"], "later in order")
    assert golden(*said[1:], rules=in_order("c", "b"))["phone"] == "+2"


def test_a_system_of_the_order_that_says_nothing_is_passed_over_and_so_is_our_own_word() -> None:
    said = [
        member("a/c/1", {"email": "a@x.de"}),
        member("b/c/2", {"phone": "+2"}, echoes=["phone"]),
        member("c/c/3", {"phone": "+3"}),
        member("z/c/4", {"phone": "+4"}),
    ]
    assert golden(*said, rules=in_order("a", "b", "c"))["phone"] == "+3"
    assert lost(*said, rules=in_order("a", "b", "c")) == {"b/c/2": "echo", "z/c/4": "later in order"}


def test_within_one_system_of_the_order_and_after_its_end_the_last_to_be_set_wins() -> None:
    twice = [member("a/c/1", {"phone": "+1"}, YEAR_AGO), member("a/c/2", {"phone": "+2"}, NOW)]
    assert golden(*twice, rules=in_order("a"))["phone"] == golden(*twice, rules=in_order("z"))["phone"] == "+2"
    assert lost(*twice, rules=in_order("a")) == {"a/c/1": "older"}


def test_an_address_by_order_of_systems_is_taken_from_one_record_whole() -> None:
    first, second = member("a/c/1", {"city": "Bonn"}), member("b/c/2", {"city": "Köln", "street": "Weg 2"})
    of = ("street", "city", "postal_code", "region", "country")
    assert golden(first, second, rules=in_order("a", "b", of=of)) == {"city": "Bonn"}
    assert golden(first, second, rules=in_order("b", "a", of=of)) == {"city": "Köln", "street": "Weg 2"}


def test_what_most_records_say_wins_by_the_rule_frequent_however_old() -> None:
    said = [
        member("a/c/1", {"phone": "+1"}, LONG_AGO),
        member("b/c/2", {"phone": "+1"}, LONG_AGO),
        member("c/c/3", {"phone": "+2"}, NOW, edits=["phone"]),
        *(member(f"e/c/{n}", {"phone": "+3"}, echoes=["phone"]) for n in range(5)),
    ]
    assert golden(*said)["phone"] == "+2"
    assert golden(*said, rules=ruled("frequent"))["phone"] == "+1"
    assert lost(*said, rules=ruled("frequent"))["c/c/3"] == "rarer"
    assert lost(*said, rules=ruled("frequent"))["e/c/0"] == "echo"


def test_the_fullest_group_and_the_longest_text_win_by_the_rule_complete() -> None:
    of = ("street", "city", "postal_code", "region", "country", "job_title")
    full = member("a/c/1", {"street": "Gasse 1", "city": "Bonn", "job_title": "Chief of Pumps"}, LONG_AGO)
    bare = [member(f"b/c/{n}", {"city": "Köln", "job_title": "Chief"}, edits=["city", "job_title"]) for n in range(3)]
    assert golden(full, *bare) == {"city": "Köln", "job_title": "Chief"}
    rules = ruled("complete", of=of)
    assert golden(full, *bare, rules=rules) == {"street": "Gasse 1", "city": "Bonn", "job_title": "Chief of Pumps"}
    assert lost(full, *bare, rules=rules, field="city")["b/c/0"] == "less complete"


SEVERAL = {"entity": Entity.ACCOUNT, "rules": ruled("union", Entity.ACCOUNT, ["industry"])}


def test_a_union_is_all_that_anybody_says_each_once_and_in_order() -> None:
    said = [
        member("a/c/1", {"industry": "vip;Retail"}),
        member("b/c/2", {"industry": "oem ; VIP;"}),
        member("c/c/3", {"industry": "retail"}, LONG_AGO),
    ]
    for order in (said, said[::-1]):
        assert golden(*order, **SEVERAL)["industry"] == "oem;Retail;VIP"
    assert lost(*said, field="industry", **SEVERAL) == dict.fromkeys(["a/c/1", "c/c/3"], "joined")


def test_a_union_written_back_everywhere_stays_as_it_is() -> None:
    said = [member(f"{s}/c/1", {"industry": "oem;vip"}, echoes=["industry"]) for s in "ab"]
    assert golden(*said, **SEVERAL)["industry"] == "oem;vip"
    assert golden(said[0], member("b/c/1", {"industry": "new"}), **SEVERAL)["industry"] == "new;oem;vip"


def test_a_system_can_be_trusted_in_one_field_more_than_in_others() -> None:
    said = [member("a/c/1", {"phone": "+1", "email": "a@x.de"}), member("b/c/2", {"phone": "+2", "email": "b@x.de"})]
    assert golden(*said, rules=Rules(trust={"a": 0.5})) == {"phone": "+2", "email": "b@x.de"}
    assert golden(*said, rules=Rules(trust={"a": 0.5, "b.phone": 0.4})) == {"phone": "+1", "email": "b@x.de"}
    both = Rules(trust={"b.phone": 0.4, "b.contact.phone": 1.0, "b.account.phone": 0.1, "a": 0.5})
    assert golden(*said, rules=both)["phone"] == "+2"


def test_trust_in_a_group_holds_for_the_whole_of_it() -> None:
    said = [member("a/c/1", {"city": "Bonn", "country": "DE"}), member("b/c/2", {"city": "Köln", "country": "AT"})]
    assert golden(*said, rules=Rules(trust={"a.address": 0.5})) == {"city": "Köln", "country": "AT"}
    assert golden(*said, rules=Rules(trust={"b.address": 0.5})) == {"city": "Bonn", "country": "DE"}


def test_each_field_may_grow_old_at_its_own_pace() -> None:
    old = [member(f"{s}/c/1", {"phone": "+1", "email": "a@x.de"}, "2025-06-01T00:00:00Z") for s in ("a", "b")]
    new = member("c/c/2", {"phone": "+2", "email": "b@x.de"}, NOW)
    assert golden(*old, new, rules=Rules()) == {"phone": "+2", "email": "b@x.de"}
    slow = Rules(half_lives={(Entity.CONTACT, "phone"): 3650.0})
    assert golden(*old, new, rules=slow) == {"phone": "+1", "email": "b@x.de"}


@pytest.mark.parametrize(
    ("rules", "other", "why"),
    [
        (Rules(), member("b/c/2", {"phone": "+2"}, YEAR_AGO), "outweighed"),
        (Rules(), member("b/c/2", {"phone": "+2"}, echoes=["phone"]), "echo"),
        (Rules(), member("b/c/2", {"phone": "+2"}), "level"),
        (Rules(trust={"b": 0.5}), member("b/c/2", {"phone": "+2"}), "outweighed"),
        (ruled("recent"), member("b/c/2", {"phone": "+2"}, ""), "older"),
        (ruled("master", masters=frozenset({"a"})), member("b/c/2", {"phone": "+2"}), "not the master"),
        (ruled("recent"), member("b/c/2", {"phone": "+1"}, YEAR_AGO), "agrees"),
    ],
)
def test_each_loser_knows_why_it_lost(rules: Rules, other: dict[str, Any], why: str) -> None:
    assert lost(member("a/c/1", {"phone": "+1"}), other, rules=rules) == {"b/c/2": why}


def test_an_edit_and_a_no_are_reasons_as_well() -> None:
    edited = member("a/c/1", {"phone": "+1"}, edits=["phone"])
    assert lost(edited, member("b/c/2", {"phone": "+2"})) == {"b/c/2": "not edited"}
    no, yes = member("a/c/1", {"marketing_consent": "no"}), member("b/c/2", {"marketing_consent": "yes"})
    assert lost(no, yes, field="marketing_consent") == {"b/c/2": "looser"}


def test_every_reason_there_is_has_words() -> None:
    sql = importlib.import_module("omnihub.merge.survive")._GOLDEN
    assert set(re.findall(r"(?:THEN|ELSE) '([a-z ]+)'", sql)) == set(WHY)


def test_a_value_with_quotes_and_line_ends_stays_itself_in_fields_and_lineage() -> None:
    odd = 'He said "pumps\\n"\n\t\u2028 \x01 👩‍🚀'
    said = [member('a/c/"1\\', {"job_title": odd}), member("b/c/2", {"job_title": odd + "!"}, YEAR_AGO)]
    values, lineage, _ = merged(*said)["g"]
    assert values["job_title"] == odd
    assert (lineage["job_title"]["ref"], lineage["job_title"]["losers"][0]["value"]) == ('a/c/"1\\', odd + "!")


def test_another_table_has_another_fingerprint_and_the_same_one_the_same() -> None:
    one = Rules(trust={"a": 0.5, "b": 0.7}, fields={(Entity.CONTACT, "phone"): "recent"})
    same = Rules(trust={"b": 0.7, "a": 0.5}, fields={(Entity.CONTACT, "phone"): "recent"})
    assert one.fingerprint(Entity.CONTACT) == same.fingerprint(Entity.CONTACT)
    others = [
        Rules(),
        Rules(trust={"a": 0.5, "b": 0.8}, fields=one.fields),
        Rules(trust=one.trust, fields=one.fields, half_lives={(Entity.CONTACT, "phone"): 1.0}),
        Rules(trust=one.trust, fields=one.fields, orders={(Entity.CONTACT, "phone"): ("a",)}),
        Rules(trust=one.trust, fields=one.fields, masters=frozenset({"a"})),
    ]
    assert len({r.fingerprint(Entity.CONTACT) for r in (one, *others)}) == 6
    contacts_alone = Rules(fields={(Entity.CONTACT, "phone"): "recent"})
    assert contacts_alone.fingerprint(Entity.ACCOUNT) == Rules().fingerprint(Entity.ACCOUNT)


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
VARIED = Rules(
    fields={
        (Entity.CONTACT, "email"): "frequent",
        (Entity.CONTACT, "phone"): "order",
        **{(Entity.CONTACT, name): "complete" for name, group in GROUPS.items() if group == "address"},
    },
    orders={(Entity.CONTACT, "phone"): ("desk", "crm")},
    trust={"shop": 0.5, "desk.name": 0.3},
    half_lives={(Entity.CONTACT, "account"): 30.0},
)
tables = st.sampled_from([RULES, VARIED])


def built(drawn: Sequence[tuple[str, dict[str, str], str, list[str], list[str], str]]) -> list[dict[str, Any]]:
    return [member(f"{s}/c/{n}", v, at, e, d, gid) for n, (s, v, at, e, d, gid) in enumerate(drawn)]


@settings(max_examples=12)
@given(records, pins, tables)
def test_every_golden_cell_is_what_its_winner_holds_and_groups_never_mix(
    drawn: list[Any], pinned: dict[tuple[str, str], str | None], rules: Rules
) -> None:
    members = built(drawn)
    held = {m["ref"]: json.loads(m["fields"]) for m in members}
    found = merged(*members, pins=[(gid, f, v) for (gid, f), v in pinned.items()], links=LINKED, rules=rules)
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
@given(records, st.randoms(), tables)
def test_the_outcome_does_not_depend_on_the_order_of_the_members(drawn: list[Any], random: Any, rules: Rules) -> None:
    members = built(drawn)
    shuffled = list(members)
    random.shuffle(shuffled)
    assert merged(*members, links=LINKED, rules=rules) == merged(*shuffled, links=LINKED, rules=rules)


@settings(max_examples=8)
@given(records, tables)
def test_merging_some_golden_records_gives_what_merging_all_gives(drawn: list[Any], rules: Rules) -> None:
    """Work follows change: nothing of a golden record depends on which others are merged with it."""
    members = built(drawn)
    together = merged(*members, links=LINKED, rules=rules)
    some = set(list(together)[::2])
    apart = merged(*(m for m in members if m["golden_id"] in some), links=LINKED, rules=rules)
    assert apart == {gid: one for gid, one in together.items() if gid in some}


@settings(max_examples=12)
@given(records, tables)
def test_once_all_systems_hold_the_golden_values_nothing_more_changes(drawn: list[Any], rules: Rules) -> None:
    """Everything was written back and came back as an echo: the golden record stays as it is."""
    members = built(drawn)
    before = {gid: values for gid, (values, _, _) in merged(*members, rules=rules).items()}
    written = [_written(m, before[m["golden_id"]]) for m in members]
    after = {gid: values for gid, (values, _, _) in merged(*written, rules=rules).items()}
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
