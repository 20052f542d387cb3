"""Names kept as one text are cut as those say who hold them in two fields."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from omnihub.merge import MEMBERS, recut


def member(ref: str, first: str | None, last: str | None, golden_id: str = "g") -> dict[str, object]:
    told = {"first_name": first, "last_name": last, "email": "a@x.de"}
    fields = json.dumps({name: value for name, value in told.items() if value is not None})
    system = ref.partition("/")[0]
    return dict.fromkeys(MEMBERS.names) | {"golden_id": golden_id, "ref": ref, "system": system, "fields": fields}


def cut(*members: dict[str, object]) -> dict[str, tuple[str | None, str | None]]:
    found = recut(pa.Table.from_pylist(list(members), schema=MEMBERS), {"desk/users"})
    told = {str(row["ref"]): json.loads(str(row["fields"])) for row in found.to_pylist()}
    assert all(one["email"] == "a@x.de" for one in told.values())
    return {ref: (one.get("first_name"), one.get("last_name")) for ref, one in told.items()}


@pytest.mark.parametrize(
    ("guess", "sure"),
    [(("Weber", "Anna"), ("Anna", "Weber")), (("Ana Maria", "Lopez"), ("Ana", "María López"))],
    ids=["surname first", "two given names, or two surnames"],
)
def test_the_same_words_are_cut_as_they_are_where_they_stand_in_two_fields(
    guess: tuple[str, str], sure: tuple[str, str]
) -> None:
    found = cut(member("desk/users/1", *guess), member("crm/contacts/1", *sure))
    assert found == {"desk/users/1": sure, "crm/contacts/1": sure}


def test_other_words_and_other_customers_and_half_a_name_stay_as_they_are() -> None:
    said = [
        member("desk/users/1", "Weber", "Anne"),
        member("desk/users/2", "Weber", "Anna", "other"),
        member("desk/users/3", None, "Weber"),
        member("crm/contacts/1", "Anna", "Weber"),
        member("crm/contacts/2", "Weber", "Anna"),
    ]
    told = cut(*said)
    assert told["desk/users/1"] == ("Weber", "Anne")
    assert told["desk/users/2"] == ("Weber", "Anna")
    assert told["desk/users/3"] == (None, "Weber")
    assert told["crm/contacts/2"] == ("Weber", "Anna")  # held so, not guessed


def test_where_they_do_not_agree_most_decide() -> None:
    told = cut(
        member("desk/users/1", "Weber", "Anna"),
        member("crm/contacts/1", "Anna", "Weber"),
        member("crm/contacts/2", "Weber", "Anna"),
        member("shop/customers/1", "Anna", "Weber"),
    )
    assert told["desk/users/1"] == ("Anna", "Weber")


def test_where_as_many_say_the_one_as_the_other_the_guess_stays() -> None:
    told = cut(
        member("desk/users/1", "Marit", "Carsten"),
        member("crm/contacts/1", "Marit", "Carsten"),
        member("shop/customers/1", "Carsten", "Marit"),
    )
    assert told["desk/users/1"] == ("Marit", "Carsten")
