"""Pairs: what two records say about each other, in bits; and that those who might be the same find each other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnihub.match import THRESHOLDS, default_model, features, score_all_within, score_candidates, shared_values
from omnihub.match.features import ACCOUNTS, ROWS, SHARED
from omnihub.match.pairs import MAX_BLOCK
from omnihub.model import Entity

CONTACT, ACCOUNT, PRODUCT = Entity.CONTACT, Entity.ACCOUNT, Entity.PRODUCT
Values = Mapping[str, str]


def rows(*records: Values, system: str = "crm") -> pa.Table:
    """Records 0, 1, 2 … with these fields; `ref` in the fields names one otherwise."""
    found = []
    for n, values in enumerate(records):
        ref = values.get("ref", f"{system}/r/{n:03}")
        kept = {name: v for name, v in values.items() if name != "ref"}
        found.append({"ref": ref, "system": system, "fields": json.dumps(kept, ensure_ascii=False)})
    return pa.Table.from_pylist(found, schema=ROWS)


def goldens(links: Mapping[str, tuple[str, str]] | None) -> pa.Table:
    told = [{"ref": ref, "golden_id": gid, "name": name} for ref, (gid, name) in (links or {}).items()]
    return pa.Table.from_pylist(told, schema=ACCOUNTS)


def scored(
    entity: Entity, *records: Values, links: Mapping[str, tuple[str, str]] | None = None
) -> list[dict[str, Any]]:
    """All pairs of the records that share a key."""
    made, keys = features(entity, rows(*records), goldens(links))
    return list(score_candidates(default_model(entity), made, keys, made.column("ref").to_pylist()).to_pylist())


def within(entity: Entity, *records: Values, links: Mapping[str, tuple[str, str]] | None = None) -> dict[str, Any]:
    """The first two of the records beside each other, whether they share a key or not."""
    found = _all(entity, records, goldens(links))
    refs = sorted({ref for p in found for ref in (p["a"], p["b"])})
    return dict(next(p for p in found if (p["a"], p["b"]) == (refs[0], refs[1])))


def _all(entity: Entity, records: Sequence[Values], accounts: pa.Table | None = None) -> list[dict[str, Any]]:
    """Every pair of the records."""
    made, keys = features(entity, rows(*records), accounts)
    refs = made.column("ref").to_pylist()
    together = pa.table({"component": pa.array([1] * len(refs), pa.int64()), "ref": pa.array(refs, pa.string())})
    shared = shared_values(entity, made, keys)
    return list(score_all_within(default_model(entity), made, together, shared, why=True).to_pylist())


def verdict(entity: Entity, *records: Values, **more: Any) -> str:
    """same, unsure or different, of the first two."""
    pair = within(entity, *records, **more)
    if pair["forbidden"]:
        return "never"
    limits = THRESHOLDS[entity]
    return "same" if pair["weight"] >= limits.same else "unsure" if pair["weight"] >= limits.unsure else "different"


def found_together(entity: Entity, *records: Values, **more: Any) -> bool:
    """Whether the first two records are looked at beside each other at all."""
    return any((p["a"], p["b"]) == ("crm/r/000", "crm/r/001") for p in scored(entity, *records, **more))


ANNA = {
    "first_name": "Anna",
    "last_name": "Weber",
    "email": "anna.weber@firma.de",
    "phone": "+493012345678",
    "city": "Bonn",
}


def anna(**other: str | None) -> dict[str, str]:
    """Anna Weber with some fields otherwise; None takes one away."""
    return {name: value for name, value in (ANNA | other).items() if value is not None}


# -- people ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        anna(),
        anna(email=None),
        anna(phone=None),
        anna(first_name="Ana"),
        anna(first_name="Weber", last_name="Anna"),
        anna(last_name="WEBER", city="Köln"),
        anna(first_name="A.", phone=None),
        anna(last_name="Müller-Weber", phone=None),
        {"email": "ANNA.WEBER@firma.de", "last_name": "Weber", "first_name": "Anna"},
        {"first_name": "Anna", "last_name": "Weber", "mobile": "+493012345678"},
    ],
)
def test_one_person_told_by_two_systems_is_the_same(other: Values) -> None:
    assert verdict(CONTACT, anna(), other) == "same"
    assert found_together(CONTACT, anna(), other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (anna(first_name="Robert"), anna(first_name="Bob", email=None)),
        (anna(last_name="Müller"), anna(last_name="Mueller", email=None)),
        (anna(last_name="Müller"), anna(last_name="MULLER", email=None)),
        (anna(last_name="Schmidt"), anna(last_name="Schmitd", email=None)),
        (anna(first_name="Anna-Lena"), anna(first_name="Anna", email=None)),
        (anna(first_name="Hans-Peter"), anna(first_name="Hans", email=None)),
    ],
)
def test_nicknames_umlauts_and_typos_are_no_obstacle(one: Values, other: Values) -> None:
    assert verdict(CONTACT, one, other) == "same"
    assert found_together(CONTACT, one, other)


@pytest.mark.parametrize(
    "other",
    [
        anna(first_name="Karl", email="karl.weber@firma.de"),
        anna(first_name="Karl", email="karl.weber@firma.de", phone=None),
        anna(first_name="Karl", email=None),
        anna(first_name="Eva", last_name="Maier", email="eva.maier@firma.de"),
        anna(email="anna.weber@andere.de", phone=None, city="München", last_name="Becker"),
        {"phone": "+493012345678"},
        {"city": "Bonn"},
        {"first_name": "Anna"},
    ],
)
def test_relatives_colleagues_and_namesakes_are_not_joined(other: Values) -> None:
    assert verdict(CONTACT, anna(), other) != "same"


def test_a_common_name_alone_does_not_make_two_people_one() -> None:
    alone = {"first_name": "Anna", "last_name": "Weber"}
    assert verdict(CONTACT, alone, alone) != "same"
    assert verdict(CONTACT, alone | {"city": "Bonn"}, alone | {"city": "Köln"}) != "same"


def test_father_and_son_of_one_name_one_house_and_one_phone_stay_apart() -> None:
    home = {"first_name": "Karl", "phone": "+493012345678", "city": "Bonn", "company": "Weber GmbH"}
    father, son = home | {"last_name": "Weber Sr."}, home | {"last_name": "Weber Jr."}
    assert verdict(CONTACT, father, son) == "never"
    assert verdict(CONTACT, father | {"email": "karl@x-firma.de"}, son | {"email": "karl@x-firma.de"}) == "never"


def test_a_son_is_not_joined_with_a_namesake_whose_generation_nobody_tells() -> None:
    senior = {"first_name": "Karl", "last_name": "Weber", "email": "k.weber@firma.de", "company": "Weber GmbH"}
    junior = {"first_name": "Karl", "last_name": "Weber Jr.", "email": "karl.junior@firma.de", "company": "Weber GmbH"}
    assert verdict(CONTACT, senior, junior) != "same"


def test_a_switchboards_number_counts_little_a_persons_much() -> None:
    line = "+4930999000"
    colleagues = [
        {"first_name": f, "last_name": n, "phone": line}
        for f, n in (("Eva", "Maier"), ("Ute", "Krug"), ("Jan", "Holz"))
    ]
    pair = [
        {"first_name": "Anna", "last_name": "Weber", "phone": line},
        {"first_name": "A", "last_name": "Weber", "phone": line},
    ]
    own = json.loads(within(CONTACT, *pair)["why"])["phone"]
    shared = json.loads(within(CONTACT, *pair, *colleagues)["why"])["phone"]
    assert len({p["last_name"] for p in [*pair, *colleagues]}) == SHARED
    assert own >= 4 * shared > 0


def test_a_switchboard_does_not_spoil_the_persons_own_number() -> None:
    line, mobile = "+4930999000", "+491721111111"
    colleagues = [{"first_name": "X", "last_name": n, "phone": line} for n in ("Maier", "Krug", "Holz", "Beier")]
    pair = [{"first_name": "Anna", "last_name": "Weber", "phone": line, "mobile": mobile}] * 2
    assert (
        json.loads(within(CONTACT, *pair, *colleagues)["why"])["phone"]
        == json.loads(within(CONTACT, *pair)["why"])["phone"]
    )


def test_an_address_everybody_reads_is_little_evidence() -> None:
    role = {"email": "info@firma.de"}
    own = json.loads(within(CONTACT, anna(), anna())["why"])["email"]
    assert json.loads(within(CONTACT, anna(**role), anna(**role))["why"])["email"] < own / 2
    assert verdict(CONTACT, anna(**role, phone=None), anna(**role, phone=None, first_name="Karl")) != "same"
    assert not found_together(CONTACT, role | {"last_name": "Weber"}, role | {"last_name": "Maier"})


def test_two_spellings_of_an_employer_lead_to_one_golden_account_and_count_as_the_same() -> None:
    links = {
        "crm/a/1": ("account_x", "Weber GmbH"),
        "shop/a/9": ("account_x", "Weber GmbH"),
        "shop/a/7": ("account_y", "Holz AG"),
    }
    name = {"first_name": "Anna", "last_name": "Weber"}
    said = [name | {"account": ref} for ref in ("crm/a/1", "shop/a/9", "shop/a/7")]
    assert verdict(CONTACT, said[0], said[1], links=links) == "same"
    assert verdict(CONTACT, said[0], said[2], links=links) != "same"
    assert found_together(CONTACT, said[0], said[1], links=links)


def test_an_employer_told_as_text_meets_one_told_as_a_link() -> None:
    links = {"crm/a/1": ("account_x", "Weber Maschinenbau GmbH")}
    name = {"first_name": "Anna", "last_name": "Weber"}
    pair = [name | {"account": "crm/a/1"}, name | {"company": "WEBER MASCHINENBAU"}]
    assert json.loads(within(CONTACT, *pair, links=links)["why"])["company"] > 0


# -- companies -------------------------------------------------------------------------------------------------------

FIRMA = {
    "name": "Weber Maschinenbau GmbH",
    "vat_id": "DE136695976",
    "domain": "weber-maschinen.de",
    "phone": "+493023125847",
    "street": "Hauptstr. 5",
    "postal_code": "53111",
    "city": "Bonn",
    "country": "DE",
}


def firma(**other: str | None) -> dict[str, str]:
    return {name: value for name, value in (FIRMA | other).items() if value is not None}


@pytest.mark.parametrize(
    "other",
    [
        firma(),
        firma(name="WEBER MASCHINENBAU"),
        firma(vat_id=None),
        firma(vat_id=None, domain=None, phone=None),
        firma(name="Weber Maschinenbau", vat_id=None, domain=None, street=None, phone=None),
        firma(domain=None, phone=None, street=None, postal_code=None, city=None),
        firma(street="Neue Gasse 1", postal_code="50667", city="Köln", vat_id="DE136695976"),
    ],
)
def test_one_company_told_by_two_systems_is_the_same(other: Values) -> None:
    assert verdict(ACCOUNT, firma(), other) == "same"
    assert found_together(ACCOUNT, firma(), other)


def test_contradicting_vat_ids_are_never_one() -> None:
    assert verdict(ACCOUNT, firma(), firma(vat_id="DE811569869")) == "never"


def test_a_subsidiary_and_its_parent_are_never_one() -> None:
    parent = firma(ref="crm/r/000")
    assert verdict(ACCOUNT, parent, firma(ref="crm/r/001", parent="crm/r/000")) == "never"


@pytest.mark.parametrize(
    "branch", [firma(city="Hamburg", postal_code="20095", street="Weg 1", vat_id=None, phone=None)]
)
def test_a_branch_in_another_town_is_not_its_head_office(branch: Values) -> None:
    assert verdict(ACCOUNT, firma(), branch) != "same"


@pytest.mark.parametrize(
    "other",
    [
        firma(name="Holz Handel AG", vat_id=None, domain="holz.de"),
        {"name": "Weber Maschinenbau"},
        {"name": "Weber Maschinenbau", "country": "AT", "city": "Wien"},
        firma(name="Weber Elektrik", vat_id=None, domain=None, phone=None),
    ],
)
def test_neighbours_and_namesakes_are_not_joined(other: Values) -> None:
    assert verdict(ACCOUNT, firma(), other) != "same"


# -- products --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "outcome"),
    [
        ({"sku": "ab-12"}, {"sku": "AB 12"}, "same"),
        ({"sku": "ab-12"}, {"sku": "ab-13", "name": "the same words"}, "never"),
        ({"sku": "ab-12", "gtin": "4006381333931"}, {"gtin": "4006381333931"}, "same"),
        ({"gtin": "4006381333931"}, {"gtin": "4012345678901"}, "different"),
        ({"sku": "ab-12", "name": "Pump"}, {"gtin": "4012345678901", "name": "Engine"}, "different"),
    ],
)
def test_products_are_known_by_their_numbers(one: Values, other: Values, outcome: str) -> None:
    assert verdict(PRODUCT, one, other) == outcome


# -- who is looked at ------------------------------------------------------------------------------------------------


def keys_of(entity: Entity, *records: Values, **more: Any) -> list[str]:
    _, keys = features(entity, rows(*records), goldens(more.get("links")))
    return [k for k, _ in zip(keys.column("key").to_pylist(), keys.column("ref").to_pylist(), strict=True)]


def test_a_record_that_says_nothing_has_no_keys() -> None:
    assert keys_of(CONTACT, {}) == keys_of(ACCOUNT, {}) == keys_of(PRODUCT, {}) == []


def test_keys_are_made_of_what_is_there() -> None:
    assert keys_of(CONTACT, {"phone": "+493012345678"}) == ["p:493012345678"]
    assert keys_of(CONTACT, {"email": "anna@gmail.com"}) == ["U:anna|gm", "e:anna@gmail.com"]


def test_only_pairs_with_a_changed_record_are_scored() -> None:
    made, keys = features(CONTACT, rows(anna(), anna(), anna()))
    found = score_candidates(default_model(CONTACT), made, keys, ["crm/r/001"]).to_pylist()
    assert [(p["a"], p["b"]) for p in found] == [("crm/r/000", "crm/r/001"), ("crm/r/001", "crm/r/002")]


def test_a_key_half_the_world_shares_brings_nobody_together() -> None:
    crowd = [{"email": f"p{n}@x{n}.de", "phone": "+4930555000", "last_name": f"N{n}"} for n in range(MAX_BLOCK + 1)]
    assert scored(CONTACT, *crowd) == []
    assert len(scored(CONTACT, *crowd[:-1])) == MAX_BLOCK * (MAX_BLOCK - 1) // 2


def test_a_key_for_looking_up_pairs_nobody() -> None:
    staff = [{"account": "crm/a/1", "first_name": f, "last_name": n} for f, n in (("Anna", "Weber"), ("Karl", "Holz"))]
    assert "r:crm/a/1" in keys_of(CONTACT, *staff)
    assert scored(CONTACT, *staff) == []


def test_a_pair_is_scored_once_and_named_in_order() -> None:
    found = scored(CONTACT, anna(), anna())
    assert [(p["a"], p["b"]) for p in found] == [("crm/r/000", "crm/r/001")]


def test_why_adds_up_to_the_weight() -> None:
    for entity, one, other in (
        (CONTACT, anna(), anna(first_name="Ana", city="Köln")),
        (ACCOUNT, firma(), firma(vat_id=None)),
    ):
        pair = within(entity, one, other)
        assert sum(json.loads(pair["why"]).values()) == pytest.approx(pair["weight"])


def test_nothing_at_all_is_no_trouble() -> None:
    for entity in (CONTACT, ACCOUNT, PRODUCT):
        assert scored(entity) == []


# -- what always holds -----------------------------------------------------------------------------------------------

people = st.fixed_dictionaries(
    {},
    optional={
        "first_name": st.sampled_from(["Anna", "Ana", "Karl", "Bob", "Robert", "李"]),
        "last_name": st.sampled_from(["Weber", "Weber Jr.", "Müller", "Mueller", "Holz"]),
        "email": st.sampled_from(["anna@firma.de", "info@firma.de", "karl@holz.de"]),
        "phone": st.sampled_from(["+493011111111", "+493022222222"]),
        "mobile": st.sampled_from(["+491721111111", "+493011111111"]),
        "company": st.sampled_from(["Weber GmbH", "Holz AG"]),
        "city": st.sampled_from(["Bonn", "Köln"]),
    },
)


@settings(max_examples=15)
@given(st.lists(people, min_size=2, max_size=14), st.randoms())
def test_the_weights_do_not_depend_on_the_order_of_the_records(drawn: Sequence[Values], random: Any) -> None:
    table = rows(*drawn)
    order = list(range(len(drawn)))
    random.shuffle(order)
    found = []
    for some in (table, table.take(pa.array(order))):
        made, keys = features(CONTACT, some)
        found.append(
            (
                made.to_pylist(),
                keys.to_pylist(),
                score_candidates(default_model(CONTACT), made, keys, made.column("ref").to_pylist()).to_pylist(),
            )
        )
    assert found[0] == found[1]


@settings(max_examples=15)
@given(st.lists(people, min_size=2, max_size=10))
def test_a_pair_weighs_the_same_from_both_sides(drawn: Sequence[Values]) -> None:
    there, back = (
        {frozenset((p["a"], p["b"])): (p["weight"], p["forbidden"]) for p in _all(CONTACT, records)}
        for records in (_named(drawn), _named(drawn, backwards=True))
    )
    assert {frozenset(_mirror(r, len(drawn)) for r in pair): told for pair, told in back.items()} == there


def _named(drawn: Sequence[Values], backwards: bool = False) -> list[dict[str, str]]:
    """The same people under refs whose order is turned round."""
    return [{**v, "ref": f"crm/r/{len(drawn) - 1 - n if backwards else n:03}"} for n, v in enumerate(drawn)]


def _mirror(ref: str, count: int) -> str:
    return f"crm/r/{count - 1 - int(ref[-3:]):03}"
