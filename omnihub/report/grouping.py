"""A group of findings as people meet it: in one sentence, as the title of a notice, and in its order among others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from omnihub.report.wording import count, in_words, listed
from omnihub.report.wording import title as heading


@dataclass(frozen=True)
class Group:
    """Findings that are one matter: of one cause in a system, of one kind about one field there, or of one record.

    what: its name, by which it can be decided about: a group's id, or the record's ref. fields: one or more. detail:
    what the comparison says of one of them. customers: at least so many are touched. at_stake: currency and hundredths
    of it, the most first. since: when the first of them was seen. record: what people call it, where it is one.
    """

    what: str
    system: str
    kinds: tuple[str, ...]
    entities: tuple[str, ...]
    fields: tuple[str, ...]
    cause: str
    severity: str
    owner: str
    state: str  # of all of them, or `several`
    findings: int
    records: int
    customers: int
    at_stake: tuple[tuple[str, int], ...]
    since: str
    ref: str = ""  # the record, where it is about one
    record: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


_OF_A_LIST = {
    "price_expired": "price list {list} missing in {where}",
    "price_differs": "price list {list} not followed in {where}",
    "price_early": "price list {list} used before its time in {where}",
    "price_break": "another quantity's price of list {list} in {where}",
    "price_group": "another customer group's price instead of list {list} in {where}",
    "price_currency": "another currency's price instead of list {list} in {where}",
    "price_tax": "price list {list} with tax mixed up in {where}",
    "price_unit": "price list {list} per another unit in {where}",
    "price_overlap": "price list {list} contradicts another one in {where}",
}
_OF_AN_OFFER = {
    "promotion_expired": "offer {name} on outside its days in {where}",
    "promotion_group": "offer {name} made to others than it is meant for in {where}",
    "promotion_product": "offer {name} given on products that are not in it in {where}",
    "promotion_differs": "another discount than the master's for offer {name} in {where}",
    "promotion_unclear": "what offer {name} gives in {where} is worked out by an app",
    "promotion_unknown": "offer {name} in {where}, unknown to the master",
}
_ABOUT_NOBODY = ("list", "promotion", "stock", "sold_in", "standard", "sku")
"""Causes whose names are the master's own: no person is called by them."""

SEVERAL = "several"  # what is said of a group where its findings do not say the same
RANKS = {"high": 0, "medium": 1, "low": 2}
NAMED = 3  # fields named, of many

_OF_A_STANDARD = {"answer_late": "first answers", "solution_late": "solutions"}
_RECORDS = {"order": "order {record}", "ticket": "ticket “{record}”", "promotion": "offer {record}"}
"""Records whose names do not say what they are."""

_NOUNS = {"line": "order line", "feedback": "answer"}


def sentence(group: Group, where: str) -> str:
    """As people say it. where: what the system is called.

    >>> one = Group("g", "shop", ("price_expired",), ("product",), ("price",), "list:EUR-B", "high", "sales", "open",
    ...             412, 412, 0, (), "", detail={"list": "EUR-B", "since": "2026-05-03"})
    >>> sentence(one, "Shopify")
    'Price list EUR-B of 3 May 2026 missing in Shopify: 412 products'
    """
    return _capital(f"{_what(group, where)}: {_whose(group)}")


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]


def title(group: Group, where: str) -> str:
    """The same as far as it may stand in a list, or go out in a mail: without what a person or a record is called.

    >>> one = Group("crm/people/1", "crm", ("value_differs",), ("contact",), ("email", "phone"), "", "low", "", "open",
    ...             2, 1, 0, (), "", ref="crm/people/1", record="Anna Berg")
    >>> title(one, "Our CRM")
    'Value differs (e-mail and phone)'
    """
    if group.cause:
        about = group.cause.partition(":")[0]
        told = group if about in _ABOUT_NOBODY else replace(group, cause=about, detail={})
        return sentence(told, where)
    return _capital(_whose(group) if group.ref else sentence(group, where))


def touched(customers: int, findings: int) -> str:
    """How many customers: known of each finding, and they may be the same ones."""
    if findings == 1 or not customers:
        return count(customers, "customer")
    return f"up to {count(findings, 'customer')}" if customers == 1 else f"at least {count(customers, 'customer')}"


def order(group: Group) -> tuple[Any, ...]:
    """What comes first sorts first: what is severe, then most money, most customers, most findings. Amounts are ordered
    as figures, whatever their currency."""
    money = max((cents for _, cents in group.at_stake), default=0)
    rank = RANKS.get(group.severity, len(RANKS))
    return (rank, -money, -group.customers, -group.findings, group.system, group.what)


def _what(group: Group, where: str) -> str:
    about, _, name = group.cause.partition(":")
    kind = group.kinds[0] if len(group.kinds) == 1 else ""
    if about == "list":
        pattern = _OF_A_LIST.get(kind, _OF_A_LIST["price_differs"])
        return pattern.format(
            list=_dated(str(group.detail.get("list") or name), group.detail.get("since")), where=where
        )
    if about == "promotion":
        return _OF_AN_OFFER.get(kind, "offer {name} told wrongly in {where}").format(name=name, where=where)
    if about == "stock":
        return f"too few of {name}, where {where} ships from"
    if about == "sold_in":
        return f"{heading(kind or 'product_missing')} in {where}"
    if about == "standard":
        what = _OF_A_STANDARD.get(kind, "answers and solutions")
        return f"{what} later than promised by {in_words(name)} in {where}"
    if group.ref and not group.cause:
        pattern = _RECORDS.get(group.entities[0], "{record}") if group.record else "{record}"
        return f"{pattern.format(record=group.record or group.ref)} in {where}"
    what = heading(kind) if kind else listed([in_words(one) for one in group.kinds])
    return f"{what} in {where}{f' ({in_words(about)} {name})' if name else ''}"


def _whose(group: Group) -> str:
    if group.ref and not group.cause:
        kinds = listed([in_words(one) for one in group.kinds])
        fields = [in_words(one) for one in group.fields if one]
        some = fields if len(fields) <= NAMED else [*fields[:NAMED], f"{len(fields) - NAMED} more"]
        return f"{kinds} ({listed(some)})" if some else kinds
    noun = _noun(group.entities, group.records)
    if group.cause or len(group.fields) != 1 or not group.fields[0]:
        return f"{group.records:,} {noun}"
    return f"{in_words(group.fields[0])} of {group.records:,} {noun}"


def _noun(entities: Sequence[str], count: int) -> str:
    one = _NOUNS.get(entities[0], entities[0]) if len(entities) == 1 else "record"
    return one if count == 1 else f"{one}s"


def _dated(name: str, since: Any) -> str:
    try:
        day = date.fromisoformat(str(since)[:10])
    except ValueError:
        return name
    return f"{name} of {day.day} {day:%B %Y}"
