"""The hub's findings in Shopify: a metafield of the customer, product or order they are about, and a tag to find it.

    omnihub.consistency   json: {"how": …, "notices": {key: {title, text, severity, …}}}; all that is said of a record
    consistency           the tag of every record that has one, so that lists can be filtered by it
    consistency-ignore    the tag somebody gives a record that is to stay as it is; who, the shop does not say

What is said of a variant stands at its product, and what is said of a cart at its customer, where people look; what is
about nothing in particular, at the shop, each in a metafield of its own. The tag is there before the metafield and goes
after it: so whatever the hub remembers, a notice is found by searching for the tag. A metafield is changed over the
digest it was read with, so that nothing said there in the meantime is lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.shopify.shop import MUTATION_POINTS, Shop, failure
from omnihub.sdk import Answer, Exchange, Outcome, exchange
from omnihub.sdk.reporting import Notice, Place, Seen, Standing, Told

NAMESPACE, KEY, TYPE = "omnihub", "consistency", "json"
TAG, IGNORE = "consistency", "consistency-ignore"
HOW = f"To leave all of this as it is, give the record the tag {IGNORE}: nobody is asked again until it changes."
TAGGED = ("Customer", "Product", "Order")  # what has tags; of these each has one metafield for all its notices
BATCH = 25  # metafields a call sets at most
FOUND_AT_ONCE = 100  # records of a search, each for 2 points
MAX_TEXT = 8_000  # a metafield of this type holds 128 KB
STALE = "STALE_OBJECT"

_WHERE = f'metafield(namespace: "{NAMESPACE}", key: "{KEY}") {{ value compareDigest }}'
RECORDS = f"""query records($ids: [ID!]!) {{ nodes(ids: $ids) {{ id ... on HasMetafields {{ {_WHERE} }}
    ... on Customer {{ tags }} ... on Product {{ tags }} ... on Order {{ tags }} }} }}"""
PRODUCTS = "query products($ids: [ID!]!) { nodes(ids: $ids) { ... on ProductVariant { id product { id } } } }"
CARTS = "query carts($ids: [ID!]!) { nodes(ids: $ids) { ... on AbandonedCheckout { id customer { id } } } }"
SHOP_ID = "query itself { shop { id } }"
SET = """mutation tell($metafields: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $metafields) { metafields { id } userErrors { code elementIndex field message } }
}"""
DELETE = """mutation untell($metafields: [MetafieldIdentifierInput!]!) {
  metafieldsDelete(metafields: $metafields) { deletedMetafields { key } userErrors { field message } }
}"""
SEARCH = """query tagged($search: String!, $after: String) {
  found: %s(first: 100, query: $search, after: $after) {
    nodes { id %s tags } pageInfo { hasNextPage endCursor } } }"""
SEARCHES = tuple(SEARCH % (name, _WHERE) for name in ("customers", "products", "orders"))


@dataclass
class Slot:
    """A metafield of notices as it was read, and as it is to be."""

    owner: str
    key: str
    tags: frozenset[str] = frozenset()
    digest: str | None = None
    notices: dict[str, dict[str, Any]] = field(default_factory=dict)
    reopened: bool = False

    @property
    def has_tags(self) -> bool:
        """Whether there is a record to be tagged."""
        return _kind(self.owner) in TAGGED

    @property
    def is_there(self) -> bool:
        """Whether the shop has anything of it; a tag alone is what is left where the end of it was not heard of."""
        return self.digest is not None or TAG in self.tags

    def say(self, notice: Notice) -> None:
        """Say this, open. What else was said of a record that is to stay as it is stays closed, each by itself."""
        if IGNORE in self.tags:
            for told in self.notices.values():
                told["closed"] = True
        text = {"title": notice.title, "text": notice.text[:MAX_TEXT], "severity": notice.severity}
        self.notices[notice.key] = {**text, **notice.fields}
        self.reopened = True

    def is_closed(self, key: str) -> bool:
        """Whether somebody said that this is to stay as it is."""
        return IGNORE in self.tags or bool(self.notices[key].get("closed"))

    def value(self) -> str:
        """As it is written; the same whenever the same is said."""
        return json.dumps({"how": HOW, "notices": self.notices}, sort_keys=True, ensure_ascii=False)


Problem = tuple[Outcome, str, str]
"""How it ended, a code and words."""


def put(shop: Shop, some: Sequence[tuple[Notice, str | None]]) -> Iterator[Answer]:
    """Each is at its record as it stands now; one that has come to be about another record moves there."""
    owners = _owners(shop, [notice for notice, _ in some])
    moved = [(notice.key, id_) for n, (notice, id_) in enumerate(some) if id_ and owners[n] and id_ != owners[n]]
    left = dict(zip((key for key, _ in moved), clear(shop, moved), strict=True)) if moved else {}
    slots, seen = _slots(shop, [(str(owners[n]), notice.key) for n, (notice, _) in enumerate(some) if owners[n]])
    of: dict[int, Slot] = {}
    for n, (notice, _) in enumerate(some):
        slot = slots.get((owners[n] or "", notice.key))
        if slot is None:
            yield Answer(n, Outcome.REFUSED, None, "NO_RECORD", "its record is not there any more", seen)
        elif notice.key in left and left[notice.key].outcome is not Outcome.WRITTEN:
            old = left[notice.key]
            yield Answer(n, old.outcome, None, old.code, old.message, old.exchange)
        else:
            of[n] = slot
            slot.say(notice)
    problems, said = _written(shop, _each(of.values()))
    for n, slot in of.items():
        yield _answer(n, slot, problems.get(id(slot)), said)


def clear(shop: Shop, some: Sequence[Told]) -> Iterator[Answer]:
    """Each is taken away; with the last one of a record its metafield and tags go."""
    slots = _all_slots(shop, some)
    of = {key: slot for slot in slots for key, _ in some if key in slot.notices}
    for key, slot in of.items():
        del slot.notices[key]
    problems, said = _written(shop, [slot for slot in _each(of.values()) if slot.notices])
    more, gone = _emptied(shop, [slot for slot in slots if not slot.notices and slot.is_there])
    problems |= more
    for n, (key, id_) in enumerate(some):
        held = of.get(key)
        if held is None:
            yield Answer(n, Outcome.WRITTEN, id_)
        else:
            yield _answer(n, held, problems.get(id(held)), said if held.notices else gone)


def read(shop: Shop, some: Sequence[Told]) -> Iterator[Seen]:
    """How each stands. Who closed one, the shop does not say."""
    keys = {key for key, _ in some}
    for slot in _all_slots(shop, some):
        for key in sorted(keys & slot.notices.keys()):
            yield Seen(key, slot.owner, Standing.CLOSED if slot.is_closed(key) else Standing.OPEN)


def _answer(n: int, slot: Slot, problem: Problem | None, said: Exchange | None) -> Answer:
    if problem is None:
        return Answer(n, Outcome.WRITTEN, slot.owner, exchange=said)
    return Answer(n, problem[0], None, problem[1], problem[2], said)


# -- where things are --------------------------------------------------------------------------------------------------


def _kind(gid: str) -> str:
    return gid.removeprefix("gid://shopify/").partition("/")[0]


def _owners(shop: Shop, notices: Sequence[Notice]) -> list[str | None]:
    """Whose metafield each is said in: the record's, a variant's product's, a cart's customer's, else the shop's; None
    where it is gone."""
    found: list[str | None] = [n.ref_id if n.ref_id and _kind(n.ref_id) in TAGGED else None for n in notices]
    variants = {n.ref_id for n in notices if n.ref_id and _kind(n.ref_id) == "ProductVariant"}
    products = _products(shop, sorted(variants)) if variants else {}
    carts = {n.ref_id for n in notices if n.ref_id and _kind(n.ref_id) == "AbandonedCheckout"}
    customers = _customers(shop, sorted(carts)) if carts else {}
    for n, notice in enumerate(notices):
        if notice.ref_id in variants:
            found[n] = products.get(str(notice.ref_id))
        elif notice.ref_id in carts:
            found[n] = customers.get(str(notice.ref_id)) or _shop_id(shop)
        elif not found[n]:
            found[n] = _shop_id(shop)
    return found


def _products(shop: Shop, variants: Sequence[str]) -> dict[str, str]:
    answer = shop.ask(PRODUCTS, {"ids": list(variants)}, cost=2 * len(variants))
    return {node["id"]: node["product"]["id"] for node in _data(answer.response.content)["nodes"] if node}


def _customers(shop: Shop, carts: Sequence[str]) -> dict[str, str]:
    """Of the carts that have one."""
    answer = shop.ask(CARTS, {"ids": list(carts)}, cost=2 * len(carts))
    nodes = [node for node in _data(answer.response.content)["nodes"] if node]
    return {node["id"]: node["customer"]["id"] for node in nodes if node["customer"]}


def _shop_id(shop: Shop) -> str:
    return str(_data(shop.ask(SHOP_ID, {}, cost=1).response.content)["shop"]["id"])


def _slots(shop: Shop, wanted: Iterable[tuple[str, str]]) -> tuple[dict[tuple[str, str], Slot], Exchange | None]:
    """(owner, key of a notice) → the metafield it is in, or would be; notices of one record share one. Whoever is gone
    has none."""
    asked = list(dict.fromkeys(wanted))
    records = sorted({owner for owner, _ in asked if _kind(owner) in TAGGED})
    slots: dict[str, Slot] = {}
    seen = None
    if records:
        answer = shop.ask(RECORDS, {"ids": records}, cost=3 * len(records))
        seen = exchange(answer.response)
        nodes = [node for node in _data(answer.response.content)["nodes"] if node]
        slots = {node["id"]: _slot(node["id"], KEY, node["metafield"], node["tags"]) for node in nodes}
    found = {(owner, key): slots[owner] for owner, key in asked if owner in slots}
    return found | _slots_of_shop(shop, [pair for pair in asked if _kind(pair[0]) == "Shop"]), seen


def _slots_of_shop(shop: Shop, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Slot]:
    if not asked:
        return {}
    keys = [_own_key(key) for _, key in asked]
    declared = ", ".join(f"$k{n}: String!" for n in range(len(keys)))
    chosen = " ".join(
        f'k{n}: metafield(namespace: "{NAMESPACE}", key: $k{n}) {{ value compareDigest }}' for n in range(len(keys))
    )
    given = {f"k{n}": key for n, key in enumerate(keys)}
    answer = shop.ask(f"query own({declared}) {{ shop {{ id {chosen} }} }}", given, cost=1 + len(keys))
    held = _data(answer.response.content)["shop"]
    return {pair: _slot(held["id"], keys[n], held[f"k{n}"]) for n, pair in enumerate(asked)}


def _own_key(key: str) -> str:
    """The key of the metafield of a notice that is about no record: the shop has one for each."""
    return f"{KEY}-{key.removeprefix('omnihub-')}"


def _slot(owner: str, key: str, held: Mapping[str, Any] | None, tags: Iterable[str] = ()) -> Slot:
    try:
        notices = dict(json.loads(held["value"])["notices"]) if held else {}
    except (ValueError, KeyError, TypeError):
        notices = {}  # somebody wrote something else over it
    return Slot(owner, key, frozenset(tags), held["compareDigest"] if held else None, notices)


def _all_slots(shop: Shop, some: Sequence[Told]) -> list[Slot]:
    """Where these may be said: where they were last, and for those of which nobody knows, wherever a tag is."""
    slots, _ = _slots(shop, [(id_, key) for key, id_ in some if id_])
    found = {(slot.owner, slot.key): slot for slot in slots.values()}
    if lost := [key for key, id_ in some if not id_]:
        own, _ = _slots(shop, [(_shop_id(shop), key) for key in lost])
        for slot in (*own.values(), *_tagged(shop)):
            found.setdefault((slot.owner, slot.key), slot)
    return list(found.values())


def _each(slots: Iterable[Slot]) -> list[Slot]:
    return list({id(slot): slot for slot in slots}.values())


def _tagged(shop: Shop) -> Iterator[Slot]:
    for document in SEARCHES:
        after, more = None, True
        while more:
            given = {"search": f"tag:'{TAG}'", "after": after}
            page = _data(shop.ask(document, given, cost=2 + 2 * FOUND_AT_ONCE).response.content)["found"]
            yield from (_slot(node["id"], KEY, node["metafield"], node["tags"]) for node in page["nodes"])
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]


# -- writing -----------------------------------------------------------------------------------------------------------


def _written(shop: Shop, slots: Sequence[Slot]) -> tuple[dict[int, Problem], Exchange | None]:
    """Tag records and say what is said of each: (id of the slot → why not, the last call). A call sets all or none, so
    those it names are left out and the others sent again."""
    problems = _tag(shop, "tagsAdd", [s for s in slots if s.has_tags and TAG not in s.tags], [TAG])
    reopened = [slot for slot in slots if slot.reopened and IGNORE in slot.tags and id(slot) not in problems]
    problems |= _tag(shop, "tagsRemove", reopened, [IGNORE])
    said = None
    left = [slot for slot in slots if id(slot) not in problems]
    while left:
        now = left[:BATCH]
        answer = shop.ask(SET, {"metafields": [_given(slot) for slot in now]}, cost=MUTATION_POINTS, safe=False)
        said = exchange(answer.response)
        errors = _data(answer.response.content)["metafieldsSet"]["userErrors"]
        wrong = {id(slot): _problem(error) for error in errors for slot in _meant(now, error)}
        problems |= wrong
        left = [slot for slot in now if wrong and id(slot) not in wrong] + left[BATCH:]
    return problems, said


def _given(slot: Slot) -> dict[str, Any]:
    where = {"ownerId": slot.owner, "namespace": NAMESPACE, "key": slot.key}
    return {**where, "type": TYPE, "value": slot.value(), "compareDigest": slot.digest}


def _meant(slots: Sequence[Slot], error: Mapping[str, Any]) -> Sequence[Slot]:
    index = error.get("elementIndex")
    return slots if index is None else [slots[index]]


def _problem(error: Mapping[str, Any]) -> Problem:
    code = str(error.get("code") or "USER_ERROR")
    if code == STALE:
        return Outcome.DEFERRED, code, "it was changed there at the same time; the next run looks again"
    return Outcome.REFUSED, code, str(error.get("message") or "")


def _emptied(shop: Shop, slots: Sequence[Slot]) -> tuple[dict[int, Problem], Exchange | None]:
    """Take metafields that say nothing any more away, then the tags."""
    said = None
    for start in range(0, len(slots), BATCH):
        named = [{"ownerId": s.owner, "namespace": NAMESPACE, "key": s.key} for s in slots[start : start + BATCH]]
        answer = shop.ask(DELETE, {"metafields": named}, cost=MUTATION_POINTS)
        said = exchange(answer.response)
        errors = _data(answer.response.content)["metafieldsDelete"]["userErrors"]
        if errors:
            problem = Outcome.REFUSED, "USER_ERROR", "; ".join(str(error["message"]) for error in errors)
            return {id(slot): problem for slot in slots}, said
    return _tag(shop, "tagsRemove", [slot for slot in slots if slot.has_tags], [TAG, IGNORE]), said


def _tag(shop: Shop, mutation: str, slots: Sequence[Slot], tags: Sequence[str]) -> dict[int, Problem]:
    """Give records tags, or take them off; why not, for those that could not be."""
    problems: dict[int, Problem] = {}
    for start in range(0, len(slots), BATCH):
        some = slots[start : start + BATCH]
        declared = ", ".join(f"$i{n}: ID!" for n in range(len(some)))
        each = " ".join(
            f"m{n}: {mutation}(id: $i{n}, tags: $tags) {{ userErrors {{ field message }} }}" for n in range(len(some))
        )
        given: dict[str, Any] = {f"i{n}": slot.owner for n, slot in enumerate(some)}
        text = f"mutation tag($tags: [String!]!, {declared}) {{ {each} }}"
        answer = shop.ask(text, given | {"tags": list(tags)}, cost=MUTATION_POINTS * len(some), partial=True)
        told = _data(answer.response.content)
        for n, slot in enumerate(some):
            if told.get(f"m{n}") is None:
                raise failure(shop.http.system, answer.errors[0], answer.response.content)
            for error in told[f"m{n}"]["userErrors"]:
                problems[id(slot)] = Outcome.REFUSED, "NOT_TAGGED", str(error["message"])
    return problems


def _data(body: bytes) -> dict[str, Any]:
    return dict(json.loads(body).get("data") or {})


place = Place(
    put,
    clear,
    clear,
    titles=f"customers, products and orders with the tag `{TAG}`: their metafield `{NAMESPACE}.{KEY}`",
    read=read,
    batch=BATCH,
)
