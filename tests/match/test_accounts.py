"""Accounts: which differences between two companies matter, and which are ways to write one thing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from omnihub.match import default_model, features, identify, score_all_within, score_candidates, shared_values
from omnihub.match.accounts import SPEC
from omnihub.match.features import ROWS, frequencies
from omnihub.match.model import Model
from omnihub.model import Entity

ACCOUNT = Entity.ACCOUNT
Values = Mapping[str, str]
Pair = tuple[Values, Values]
NOBODY = pa.table({"value": pa.array([], pa.string())})


def rows(records: Sequence[Values]) -> pa.Table:
    told = [{"ref": f"crm/r/{n:03}", "system": "crm", "fields": json.dumps(dict(v))} for n, v in enumerate(records)]
    return pa.Table.from_pylist(told, schema=ROWS)


def weights(pairs: Sequence[Pair], model: Model | None = None) -> list[float]:
    """The weight of each pair, all of them in one go."""
    made, _ = features(ACCOUNT, rows([values for pair in pairs for values in pair]))
    together = pa.table({"component": [n // 2 for n in range(2 * len(pairs))], "ref": made["ref"]})
    return list(score_all_within(model or default_model(ACCOUNT), made, together, NOBODY)["weight"].to_pylist())


def met(pairs: Sequence[Pair]) -> list[bool]:
    """Whether the two of each pair share a key."""
    made, keys = features(ACCOUNT, rows([values for pair in pairs for values in pair]))
    found = score_candidates(default_model(ACCOUNT), made, keys, None, NOBODY, why=False)
    candidates = set(zip(found["a"].to_pylist(), found["b"].to_pylist(), strict=True))
    return [(f"crm/r/{2 * n:03}", f"crm/r/{2 * n + 1:03}") in candidates for n in range(len(pairs))]


def firm(name: str | None = None, street: str | None = None, **more: str) -> dict[str, str]:
    given = {"name": name, "street": street, **more}
    return {field: value for field, value in given.items() if value is not None}


BONN = {"postal_code": "53111", "city": "Bonn", "country": "DE"}
CHICAGO = {"postal_code": "60636", "country": "US"}
TAYLOR = {"street": "1414 W 87th St", "phone": "2392322", **CHICAGO}

ONE: dict[str, Pair] = {
    "legal forms": (firm("Weber Maschinenbau GmbH & Co. KG", **BONN), firm("WEBER MASCHINENBAU", **BONN)),
    "the order of words": (firm("Harson Plumbing Inc.", **CHICAGO), firm("Plumbing Harson", **CHICAGO)),
    "a slip": (firm("Breichnarbach Spedition", **BONN), firm("Breihcnarbach Spedition KG", **BONN)),
    "an agency in front": (
        firm("Henry Booth House - Taylor Day School", **TAYLOR),
        firm("Taylor Day School", "1414 West 87th Street", **CHICAGO),
    ),
    "a telephone number without its town": (
        firm("Englewood Family Center", phone="+13124766998", country="US"),
        firm("Englewood Center", phone="4766998", country="US"),
    ),
    "a whole address in one text": (
        firm("Oak Park Bakery", "27 Washington Blvd Oak Park IL 60302"),
        firm("The Bakery of Oak Park Inc.", "27 Washington Boulevard", postal_code="60302", city="Oak Park"),
    ),
    "a suite more": (
        firm("Northgate Law Group", "12 Main Street, Suite 300", **CHICAGO),
        firm("Northgate", "12 Main St", **CHICAGO),
    ),
    "two names": (
        firm("Smith Foods LLC dba Corner Deli", **TAYLOR),
        firm("Corner Deli", **TAYLOR),
    ),
    "a slip in the street": (
        firm("Merriman Roofing", "722 Maple Boulevard", **CHICAGO),
        firm("Merriman Roofing", "722 Mapel Blvd", **CHICAGO),
    ),
    "a new office": (
        firm("Weber Maschinenbau GmbH", "Weg 1", domain="weber-bau.de", phone="+49228724816", **BONN),
        firm("Weber Maschinenbau", "Gasse 9", domain="weber-bau.de", phone="+49228724816", **BONN),
    ),
    "a register's number": (
        firm("Weber Maschinenbau", registry_id="FI20774740"),
        firm("Weber Group", registry_id="2077474-0", country="FI"),
    ),
}

TWO: dict[str, Pair] = {
    "numbers": (
        firm("School No. 12", "Weg 1", phone="+49228724816", **BONN),
        firm("School No. 13", "Weg 1", phone="+49228724816", **BONN),
    ),
    "a holding and its firm": (
        firm("Weber Holding GmbH", "Weg 1", phone="+49228724816", domain="weber-bau.de", **BONN),
        firm("Weber Maschinenbau GmbH", "Weg 1", phone="+49228724816", domain="weber-bau.de", **BONN),
    ),
    "neighbours behind one number": (
        firm("Weber Maschinenbau GmbH", "Weg 1", phone="+49228724816", **BONN),
        firm("Kestermann Verlag", "Weg 1", phone="+49228724816", **BONN),
    ),
    "neighbours of one trade": (
        firm("Weber Elektrotechnik GmbH", "Weg 1", phone="+49228724816", **BONN),
        firm("Kestermann Elektrotechnik GmbH", "Weg 1", phone="+49228724816", **BONN),
    ),
    "trades": (firm("Weber Maschinenbau", **BONN), firm("Weber Elektrotechnik", **BONN)),
    "shops of a chain in one town": (
        firm("Corner Deli", "12 Main St", phone="+13124766998", **CHICAGO),
        firm("Corner Deli", "2800 Lake St", phone="+13122223333", **CHICAGO),
    ),
    "shops of a chain in two towns": (
        firm("Corner Deli", "12 Main St", domain="corner-deli.com", city="Reno", country="US"),
        firm("Corner Deli", "2800 Lake St", domain="corner-deli.com", city="Tulsa", country="US"),
    ),
    "the sides of a town": (
        firm("Corner Deli", "12 E Main St", **CHICAGO),
        firm("Corner Deli", "1200 W Main St", **CHICAGO),
    ),
    "one address in two towns": (
        firm("Apotheke am Markt", "Markt 1", city="Bonn", postal_code="53111"),
        firm("Apotheke am Markt", "Markt 1", city="Ulm", postal_code="89073"),
    ),
    "numbers in one register": (
        firm("Weber Maschinenbau GmbH", registry_id="2077474-0", city="Turku", country="FI"),
        firm("Weber Maschinenbau GmbH", registry_id="0112038-9", city="Turku", country="FI"),
    ),
    "branches named after towns": (
        firm("Weber Maschinenbau Hamburg", domain="weber-bau.de", country="DE"),
        firm("Weber Maschinenbau Berlin", domain="weber-bau.de", country="DE"),
    ),
    "namesakes": (firm("Weber Maschinenbau", country="DE"), firm("Weber Maschinenbau", country="DE")),
    "countries": (firm("Weber Maschinenbau", city="Basel", country="CH"), firm("Weber Maschinenbau", country="DE")),
}


def test_one_company_written_in_two_ways_is_the_same() -> None:
    found = dict(zip(ONE, weights(list(ONE.values())), strict=True))
    assert {way: weight for way, weight in found.items() if weight < SPEC.limits.same} == {}


def test_who_is_the_same_is_found_together() -> None:
    found = dict(zip(ONE, met(list(ONE.values())), strict=True))
    assert [way for way, together in found.items() if not together] == []


def test_two_companies_are_not_joined_however_alike() -> None:
    found = dict(zip(TWO, weights(list(TWO.values())), strict=True))
    assert {way: weight for way, weight in found.items() if weight >= SPEC.limits.same} == {}


def test_a_word_many_firms_have_says_less_than_a_rare_one() -> None:
    crowd = [firm(f"Weber {a}{b}", country="DE") for a in "bdfgklmnprst" for b in ("arit", "ovel", "unda", "ebis")]
    made, _ = features(ACCOUNT, rows([*crowd, firm("Torgeichberg Anlagen"), firm("Torgeichberg")]))
    model = replace(default_model(ACCOUNT), frequencies=frequencies(ACCOUNT, made))
    common, rare = weights(
        [
            (firm("Weber Nordwerft", **BONN), firm("Weber", **BONN)),
            (firm("Torgeichberg Nordwerft", **BONN), firm("Torgeichberg", **BONN)),
        ],
        model,
    )
    assert common < rare


def test_a_number_many_firms_share_is_little_evidence() -> None:
    names = ["Weber Maschinenbau", "Weber Maschinen", "Kestermann Verlag", "Rheintal Optik", "Adlerhorst Reisen"]
    made, keys = features(ACCOUNT, rows([firm(name, phone="+49228724816", **BONN) for name in names]))
    together = pa.table({"component": [1] * len(names), "ref": made["ref"]})
    shared = shared_values(ACCOUNT, made, keys)
    alone, among = (
        score_all_within(default_model(ACCOUNT), made, together, values)["weight"][0].as_py()
        for values in (NOBODY, shared)
    )
    assert shared["value"].to_pylist() == ["p:228724816"]
    assert among < alone


IN_GRAZ = {"domain": "weber-pumpen.at", "phone": "+433168775900", "city": "Graz", "country": "AT"}
IN_LINZ = {"domain": "weber-pumpen.at", "phone": "+437327445900", "city": "Linz", "country": "AT"}
HEAD, BRANCH = firm("Weber Pumpen AG", vat_id="ATU31601512", **IN_GRAZ), firm("Weber Pumpen AG", **IN_LINZ)
THIN = firm("Weber Pumpen AG", domain="weber-pumpen.at")


def groups(*records: Values) -> list[list[int]]:
    return [[int(ref.rpartition("/")[2]) for ref in group] for group in identify(ACCOUNT, rows(records)).partition]


def test_a_record_with_nothing_but_what_head_office_and_branch_share_is_asked_about() -> None:
    found = identify(ACCOUNT, rows([HEAD, BRANCH, THIN]))
    assert found.partition == [["crm/r/000"], ["crm/r/001"], ["crm/r/002"]]
    assert [queued.link for queued in found.queued] == [("crm/r/000", "crm/r/002"), ("crm/r/001", "crm/r/002")]
    dealers = [record | {"customer_group": "dealer"} for record in (HEAD, BRANCH, THIN)]
    assert groups(*dealers) == [[0], [1], [2]]


def test_where_it_is_told_whose_branch_it_is_such_a_record_is_the_head_offices() -> None:
    assert groups(HEAD, BRANCH | {"parent": "crm/r/000"}, THIN) == [[0, 2], [1]]


def test_such_a_record_of_a_firm_that_has_no_branches_is_its_own() -> None:
    assert groups(HEAD, THIN) == [[0, 1]]
    assert groups(BRANCH | {"parent": "crm/r/999"}, BRANCH, THIN) == [[0, 1, 2]]


def test_where_all_is_the_same_but_the_town_it_is_asked_whether_they_moved_or_opened_a_branch() -> None:
    silent = {field: value for field, value in BRANCH.items() if field != "phone"}
    both_called, moved, other_name = weights(
        [(HEAD, BRANCH), (HEAD, silent), (HEAD, silent | {"name": "Weber Pumpen Vertrieb AG"})]
    )
    assert SPEC.limits.unsure <= moved < SPEC.limits.same
    assert max(both_called, other_name) < SPEC.limits.unsure
