"""What in a record speaks of a person: whose it is, what they are known by, and the record with all of that left out.

    contact                          is a person: `known_by` says by what they would be recognised
    consent, interaction, feedback,  are about the person they link to, and about nothing else
    cart
    deal, order, ticket, offer …     only mention them: `without_person` is what remains of such a record
    account, product, price …        are nobody's personal records

What remains is a list of what is kept (KEPT), not of what is left out: a vendor's new field is left out by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from omnihub import fields
from omnihub.fields import text
from omnihub.model import Entity, Kind
from omnihub.sdk.connector import Connector, Stream
from omnihub.sdk.fieldmap import Each, Link
from omnihub.sdk.page import dig, names_on

ABOUT_A_PERSON = (Entity.CONSENT, Entity.INTERACTION, Entity.FEEDBACK, Entity.CART)
KEPT: Mapping[Entity, tuple[str, ...]] = {  # what a record that mentions a person still says without them
    Entity.DEAL: ("account", "amount", "currency", "stage", "closes_on"),
    Entity.ORDER: (
        "number", "account", "ordered_at", "status", "currency", "total", "tax_included", "tax_rate",
        "stock_point", "transport_mode", "delivered_at",
    ),
    Entity.CART: ("account", "changed_at", "ordered_at", "currency", "total", "tax_included", "tax_rate"),
    Entity.LINE: ("of", "sku", "name", "quantity", "unit_price", "currency", "tax_included", "tax_rate"),
    Entity.TICKET: ("account", "status", "channel", "opened_at", "answered_at", "solved_at", "satisfaction"),
    Entity.DEVICE: ("serial", "sku", "account", "installed_on", "status"),
    Entity.PROMOTION: (
        "code", "name", "sku", "skus", "all_products", "customer_group", "customer_groups", "account", "gives",
        "discount", "discount_amount", "discount_on", "price", "currency", "valid_from", "valid_to", "starts_at",
        "ends_at",
    ),
    Entity.INTERACTION: ("kind", "at", "account", "device", "channel"),
    Entity.FEEDBACK: ("at", "score"),
    Entity.CONSENT: ("purpose", "state", "at"),
}  # fmt: skip
CUT = "#cut"  # ends the pointer of what is kept of such a record: it is not what the system sent
NAMES = ("first_name", "last_name")
PHONES = ("phone", "mobile")
TAIL = 8  # digits in which a number agrees however it is written; fewer say nothing


def linked(system: str, stream: Stream, document: Any) -> list[str]:
    """The refs of the contacts this record links to."""
    return [
        f"{system}/{link.stream}/{id_}"
        for link in _contact_links(stream)
        for path in link.paths
        for place in _places(document, path)
        if (id_ := dig(document, place)) not in (None, "", link.nobody if isinstance(link, Link) else "")
    ]


def _contact_links(stream: Stream) -> list[Link | Each]:
    told = (stream.fields.get(name) for name in ("contact", "contacts"))
    return [where for where in told if isinstance(where, Link | Each) and not where.path.startswith("^")]


def _places(document: Any, path: str) -> list[str]:
    """The path, or where a * in it stands for every item of a list, those of all that are there.

    >>> _places({"of": [{"id": 1}, {"id": 2}]}, "of.*.id")
    ['of.0.id', 'of.1.id']
    """
    before, star, after = path.partition(".*")
    if not star:
        return [path]
    found = dig(document, before)
    here = range(len(found)) if isinstance(found, list) else ()
    return [place for n in here for place in _places(document, f"{before}.{n}{after}")]


def known_by(stream: Stream, document: Any) -> set[str]:
    """What the person this record is would be recognised by, whatever system says it: their mailbox; a mailbox or a
    number together with their name. A number alone may be somebody else's next year."""
    said = said_of(stream, document)
    name = name_key(said.get(n) for n in NAMES)
    emails = {_mailbox(said["email"])} if said.get("email") else set()
    tails = {tail for n in PHONES if len(tail := digits(said.get(n) or "")[-TAIL:]) == TAIL}
    found = {f"email:{email}" for email in emails}
    return found | {
        f"{kind}:{value}:{name}" for kind, some in (("email", emails), ("phone", tails)) for value in some if name
    }


def said_of(stream: Stream, document: Any) -> dict[str, str]:
    """field → text as the system has it, of all the fields of a record."""
    found = ((name, dig(document, where.path)) for name, where in stream.fields.items() if where.path)
    return {name: str(value) for name, value in found if isinstance(value, str | int) and str(value).strip()}


def _mailbox(raw: str) -> str:
    try:
        return fields.clean(Kind.EMAIL, raw) or raw.strip().lower()
    except fields.Unclean:
        return raw.strip().lower()


def digits(raw: str) -> str:
    """The figures of a number."""
    return re.sub(r"\D", "", raw)


def name_key(parts: Iterator[str | None] | Sequence[str | None]) -> str:
    """The words of a name in no order; nothing where there are not two, for one alone is many people's."""
    found = {word for part in parts if part for word in text.words(part)}
    return " ".join(sorted(found)) if len(found) > 1 else ""


def cuttable(stream: Stream) -> bool:
    """Whether a record of this stream can be kept without the person it mentions."""
    return stream.entity in KEPT


def without_person(connector: Connector, stream: Stream, document: Any) -> bytes:
    """A record with nothing but its key, its time, and what KEPT names, in their own places."""
    nested = [s for s in connector.streams if s.nested and s.nested.of == stream.name]
    up = {path[1:] for s in nested for path in _paths(s) if path.startswith("^")}
    kept = _copied(document, {path for path in _paths(stream) if path} | up)
    for inner in nested:
        assert inner.nested is not None
        children = dig(document, inner.nested.path)
        if isinstance(children, list):
            own = {path for path in _paths(inner) if path and not path.startswith("^")}
            _set(kept, names_on(inner.nested.path), [_copied(child, own) for child in children])
    return msgspec.json.encode(kept, order="sorted")


def _paths(stream: Stream) -> set[str]:
    told = stream.fields
    kept = (told[name] for name in KEPT.get(stream.entity, ()) if name in told)
    return {path for where in kept for path in where.paths} | {stream.key, stream.updated}


def _copied(document: Any, paths: set[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted(place for told in paths for place in _places(document, told)):
        value = dig(document, path)
        if value is not None and not isinstance(value, dict | list):
            _set(found, names_on(path), value)
    return found


def _set(document: dict[str, Any], names: Sequence[str], value: Any) -> None:
    """Make the way to a place as it is in the original; what stands before it in a list is left empty."""
    here: Any = document
    for name, following in zip(names, [*names[1:], None], strict=True):
        fresh: Any = value if following is None else [] if following.isdigit() else {}
        if isinstance(here, list):
            here.extend({} for _ in range(int(name) + 1 - len(here)))
            if following is None or not here[int(name)]:
                here[int(name)] = fresh
            here = here[int(name)]
        else:
            here = here.setdefault(name, fresh)
