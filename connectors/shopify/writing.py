"""How the shop is written to: many small mutations in one request, each under a name of its own, each with its answer.

A request is not a transaction: mutations run one after another, and each is taken or refused by itself. Very many
rows go the same steps by bulk operations, one for each kind of mutation: `in_bulk(steps)`.

Lists (addresses, tags) are replaced by whoever sends them, so they are sent whole, from the present, or not at all.
A consent has a mutation of its own, and so has a field the shop's owner added.
"""

from __future__ import annotations

import html
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from connectors.shopify import bulk
from connectors.shopify.reading import CUSTOMER, ROW_KEY, Custom
from connectors.shopify.shop import MUTATION_POINTS, Error, Shop, failure
from omnihub.errors import RejectedRecord, RetryableError
from omnihub.sdk import Answer, Exchange, Outcome, Page, Row, Send, exchange, records, value_at

NATIVE_ADDRESS = {"countryCodeV2": "countryCode"}  # read under one name, written under another


@dataclass(frozen=True)
class Step:
    """One mutation for some rows. `arguments`: name → (its type, its value)."""

    rows: Sequence[Row]
    mutation: str
    arguments: Mapping[str, tuple[str, Any]]
    answers: str  # what to select besides the errors
    error: str = "field message"


def document(steps: Sequence[Step]) -> str:
    """One request for all the steps: step n answers as `m<n>`, its arguments are the variables `m<n>_<name>`."""
    declared, calls = [], []
    for n, step in enumerate(steps):
        declared += [f"$m{n}_{name}: {kind}" for name, (kind, _) in step.arguments.items()]
        given = ", ".join(f"{name}: $m{n}_{name}" for name in step.arguments)
        calls.append(f"m{n}: {step.mutation}({given}) {{ {step.answers} userErrors {{ {step.error} }} }}")
    return f"mutation write({', '.join(declared)}) {{\n  " + "\n  ".join(calls) + "\n}"


def variables(steps: Sequence[Step]) -> dict[str, Any]:
    """The values for `document(steps)`."""
    return {f"m{n}_{name}": value for n, step in enumerate(steps) for name, (_, value) in step.arguments.items()}


Steps = Callable[[Sequence[Row]], list[Step]]
"""Rows → the mutations that write them."""


def _customers(rows: Sequence[Row]) -> list[Step]:
    """Names and language by `customerUpdate`, the default address, a consent, by mutations of their own.

    `customerUpdate` and `customerSet` take addresses too, but replace the whole list with them.
    """
    return [step for row in rows for step in _customer(row)]


def _customer(row: Row) -> list[Step]:
    own = {name: value for name, value in row.body.items() if name not in ("defaultAddress", "defaultEmailAddress")}
    steps = [_address(row, row.body["defaultAddress"])] if "defaultAddress" in row.body else []
    if "marketingState" in row.body.get("defaultEmailAddress", {}):
        steps.append(_consent(row, row.body["defaultEmailAddress"]))
    if "tags" in own:
        own["tags"] = list(dict.fromkeys([*((row.raw or {}).get("tags") or []), *own["tags"]]))
    if own:
        steps.append(
            Step([row], "customerUpdate", {"input": ("CustomerInput!", {"id": row.id, **own})}, "customer { id }")
        )
    return steps


def _consent(row: Row, email: Mapping[str, Any]) -> Step:
    """A yes or no, as of when it was said: the shop passes over what is older than what it knows."""
    consent = {"marketingState": email["marketingState"]}
    if email.get("marketingUpdatedAt"):
        consent["consentUpdatedAt"] = email["marketingUpdatedAt"]
    if consent["marketingState"] == "SUBSCRIBED":
        consent["marketingOptInLevel"] = email.get("marketingOptInLevel") or "SINGLE_OPT_IN"
    return Step(
        [row],
        "customerEmailMarketingConsentUpdate",
        {
            "input": (
                "CustomerEmailMarketingConsentUpdateInput!",
                {"customerId": row.id, "emailMarketingConsent": consent},
            )
        },
        "customer { id defaultEmailAddress { marketingState marketingUpdatedAt } }",
        "code field message",
    )


def _address(row: Row, changes: Mapping[str, Any]) -> Step:
    """Change the default address, or give the customer one. `row.raw` says which it is."""
    arguments = {"customerId": ("ID!", row.id), "address": ("MailingAddressInput!", _native_address(changes))}
    present = (row.raw or {}).get("defaultAddress")
    if not present:
        return Step([row], ADD_ADDRESS, {**arguments, "setAsDefault": ("Boolean", True)}, "address { id }")
    return Step([row], "customerAddressUpdate", {**arguments, "addressId": ("ID!", present["id"])}, "address { id }")


def _native_address(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {NATIVE_ADDRESS.get(name, name): value for name, value in changes.items()}


ADD_ADDRESS = "customerAddressCreate"  # the one step that must not be repeated blindly


def _products(rows: Sequence[Row]) -> list[Step]:
    """Title, status and description. The description is read as text and written as HTML."""
    return [_product(row) for row in rows]


def _product(row: Row) -> Step:
    product = {"id": row.id, **row.body}
    if "description" in product:
        product["descriptionHtml"] = html.escape(product.pop("description") or "", quote=False)
    return Step([row], "productUpdate", {"product": ("ProductUpdateInput", product)}, "product { id }")


def _variant_groups(rows: Sequence[Row]) -> list[Step]:
    """Prices, one mutation for each product: variants that are refused don't keep the others from being written."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[_product_of(row)].append(row)
    return [_variants(product, group) for product, group in groups.items()]


def _variants(product: str, rows: Sequence[Row]) -> Step:
    changes = [{"id": row.id, **row.body} for row in rows]
    return Step(
        rows,
        "productVariantsBulkUpdate",
        {
            "productId": ("ID!", product),
            "variants": ("[ProductVariantsBulkInput!]!", changes),
            "allowPartialUpdates": ("Boolean", True),
        },
        "productVariants { id }",
        "code field message",
    )


def _product_of(row: Row) -> str:
    found = row.parent or ((row.raw or {}).get("product") or {}).get("id")
    if not found:
        raise RejectedRecord(f"shopify: {row.id} is written through its product, and nobody says which that is")
    return str(found)


# -- sending ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """What the shop said to a step: its answer, what went wrong with it as a whole, and the call it came with."""

    step: Step
    data: Mapping[str, Any] | None
    seen: Exchange
    broken: Error | None = None


def by_request(steps: Steps) -> Send:
    """Write rows by mutations in one request."""

    def send(shop: Shop, rows: Sequence[Row]) -> Iterable[Answer]:
        return _answers(shop, rows, list(_sent(shop, steps(rows))))

    return send


def in_bulk(steps: Steps) -> Send:
    """Write rows by bulk operations. A row whose result is not in the file gets no answer: the hub looks at it."""

    def send(shop: Shop, rows: Sequence[Row]) -> Iterable[Answer]:
        told: list[Told] = []
        groups: dict[tuple[Any, ...], list[Step]] = defaultdict(list)
        for step in steps(rows):
            groups[step.mutation, *((name, kind) for name, (kind, _) in step.arguments.items())].append(step)
        for group in groups.values():
            told += _worked_through(shop, group)
        mentioned = {id(t.step) for t in told}
        lost = {row.n for group in groups.values() for s in group if id(s) not in mentioned for row in s.rows}
        lost |= {row.n for t in told if t.broken and not _is_refusal(t.broken) for row in t.step.rows}
        return _answers(shop, [r for r in rows if r.n not in lost], [t for t in told if not _lost(t, lost)])

    return send


def _lost(told: Told, lost: set[int]) -> bool:
    return all(row.n in lost for row in told.step.rows)


def _is_refusal(error: Error) -> bool:
    return isinstance(failure("", error, b""), RejectedRecord)


def _sent(shop: Shop, steps: Sequence[Step]) -> Iterator[Told]:
    answer = shop.ask(
        document(steps),
        variables(steps),
        cost=len(steps) * MUTATION_POINTS,
        safe=all(step.mutation != ADD_ADDRESS for step in steps),
        partial=True,
    )
    data = json.loads(answer.response.content).get("data") or {}
    broken = {str(e.path[0]): e for e in answer.errors if e.path}
    for n, step in enumerate(steps):
        yield Told(step, data.get(f"m{n}"), exchange(answer.response), broken.get(f"m{n}"))


def _worked_through(shop: Shop, steps: Sequence[Step]) -> Iterator[Told]:
    """The results of one operation for steps that differ in their values only, as far as there are any."""
    first = steps[0]
    text = _single(first)
    lines = [{name: value for name, (_, value) in step.arguments.items()} for step in steps]
    try:
        done = bulk.run_mutation(shop, text, lines)
    except bulk.NotDone as why:
        raise RetryableError(f"{shop.http.system}: a bulk operation ended: {why}; the hub looks at its rows") from None
    for n, said, seen in bulk.results(shop, done):
        if n < len(steps):
            errors = [msgspec.convert(e, Error) for e in said.get("errors") or []]
            yield Told(steps[n], (said.get("data") or {}).get(first.mutation), seen, errors[0] if errors else None)


def _single(step: Step) -> str:
    """The mutation by itself, for an operation that carries it out once a line."""
    declared = ", ".join(f"${name}: {kind}" for name, (kind, _) in step.arguments.items())
    given = ", ".join(f"{name}: ${name}" for name in step.arguments)
    chosen = f"{step.answers} userErrors {{ {step.error} }}"
    return f"mutation line({declared}) {{ {step.mutation}({given}) {{ {chosen} }} }}"


def _answers(shop: Shop, rows: Sequence[Row], told: Sequence[Told]) -> list[Answer]:
    """One answer per row. A step that broke down raises: nobody knows then whether it was written."""
    refused: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    made: dict[int, str] = {}
    seen: dict[int, Exchange] = {}
    for one in told:
        if one.data is None or one.broken:
            error = one.broken or Error("no answer", extensions={"code": "INTERNAL_SERVER_ERROR"})
            raise failure(shop.http.system, error, b"")
        for wrong in one.data["userErrors"]:
            for row in _meant(one.step, wrong.get("field") or []):
                refused[row.n].append(wrong)
        for row in one.step.rows:
            seen[row.n] = one.seen
            made[row.n] = made.get(row.n) or _made_id(one)
            if not refused[row.n] and _passed_over(one):
                refused[row.n].append({"code": STALE, "message": "a later word on this is known there"})
    return [_answer(row, refused.get(row.n, ()), made.get(row.n, ""), seen.get(row.n)) for row in rows]


def _made_id(told: Told) -> str:
    return str(((told.data or {}).get("customer") or {}).get("id") or "")


def _passed_over(told: Told) -> bool:
    """Whether a consent was passed over in silence: then the state that came back is not the one that was sent."""
    if told.step.mutation != "customerEmailMarketingConsentUpdate":
        return False
    sent = told.step.arguments["input"][1]["emailMarketingConsent"]["marketingState"]
    held = (((told.data or {}).get("customer") or {}).get("defaultEmailAddress") or {}).get("marketingState")
    return bool(held != sent)


STALE = "STALE_OBJECT"  # somebody was faster


def _answer(row: Row, errors: Sequence[Mapping[str, Any]], made: str, seen: Exchange | None) -> Answer:
    id_ = row.id or made or None
    if not errors:
        return Answer(row.n, Outcome.WRITTEN, id_, exchange=seen)
    code, message = _told(errors)
    return Answer(row.n, Outcome.DRIFTED if code == STALE else Outcome.REFUSED, id_, code, message, seen)


def _meant(step: Step, field: Sequence[str]) -> Sequence[Row]:
    """The rows an error is about: ["variants", "3", "price"] names one of several, anything else all of them."""
    index = next((int(part) for part in field if part.isdigit()), None)
    return step.rows if index is None or len(step.rows) == 1 else [step.rows[index]]


def _told(errors: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """(code, message). Customers' and products' errors have no code; the field stands in for it."""
    first = errors[0]
    code = first.get("code") or "USER_ERROR:" + ".".join(first.get("field") or [])
    return str(code), "; ".join(str(e.get("message", "")) for e in errors)


update_customers, update_customers_in_bulk = by_request(_customers), in_bulk(_customers)
update_products, update_products_in_bulk = by_request(_products), in_bulk(_products)
update_variants, update_variants_in_bulk = by_request(_variant_groups), in_bulk(_variant_groups)


# -- fields the shop's owner added -----------------------------------------------------------------------------------


def with_custom(steps: Steps, custom: Sequence[Custom]) -> Steps:
    """The same rows, with fields the owner added: set if they are still as they were read, else drifted."""

    def all_steps(rows: Sequence[Row]) -> list[Step]:
        own = [replace(row, body={k: v for k, v in row.body.items() if k not in names}) for row in rows]
        added = [step for row in rows for step in _custom(row, [c for c in custom if c.alias in row.body])]
        return [*added, *steps([row for row in own if row.body])]

    names = {c.alias for c in custom}
    return all_steps


def _custom(row: Row, custom: Sequence[Custom]) -> Iterator[Step]:
    kept = [c for c in custom if row.body[c.alias].get("value") is not None]
    emptied = [c for c in custom if c not in kept]
    if kept:
        values = [
            {
                "ownerId": row.id,
                "namespace": c.namespace,
                "key": c.key,
                "type": c.type,
                "value": str(row.body[c.alias]["value"]),
                "compareDigest": ((row.raw or {}).get(c.alias) or {}).get("compareDigest"),
            }
            for c in kept
        ]
        given = {"metafields": ("[MetafieldsSetInput!]!", values)}
        yield Step([row], "metafieldsSet", given, "metafields { id }", "code field message")
    if emptied:
        named = [{"ownerId": row.id, "namespace": c.namespace, "key": c.key} for c in emptied]
        given = {"metafields": ("[MetafieldIdentifierInput!]!", named)}
        yield Step([row], "metafieldsDelete", given, "deletedMetafields { key }")


# -- creating, finding, merging --------------------------------------------------------------------------------------

DEFINE = """mutation define($definition: MetafieldDefinitionInput!) {
  metafieldDefinitionCreate(definition: $definition) { createdDefinition { id } userErrors { code field message } }
}"""
FIND_AT_ONCE = 50


def create_customers(shop: Shop, rows: Sequence[Row]) -> Iterable[Answer]:
    """Make customers, known from then on by `Row.key`: sent again, they are the same customers.

    Who is there already is changed as any other customer is, so that nobody's further addresses or tags are lost.
    """
    _give_keys_a_place(shop)
    known = {key: json.loads(raw) for key, raw in _by_key(shop, [row.key for row in rows])[1]}
    again = [replace(row, id=known[row.key]["id"], raw=known[row.key]) for row in rows if row.key in known]
    steps = [_made(row) for row in rows if row.key not in known]
    steps += _customers([replace(row, body=_without_identity(row.body)) for row in again])
    told = list(_sent(shop, steps)) if steps else []
    ids = {row.n: row.id for row in again}
    return _answers(shop, [replace(row, id=ids.get(row.n, row.id)) for row in rows], told)


def _without_identity(body: Mapping[str, Any]) -> dict[str, Any]:
    """E-mail and phone say who somebody is: they are given once, when the customer is made."""
    return {name: value for name, value in body.items() if name not in ("email", "phone", "defaultPhoneNumber")}


def _made(row: Row) -> Step:
    own = {name: value for name, value in row.body.items() if not name.startswith("default")}
    email = row.body.get("defaultEmailAddress", {}).get("emailAddress") or row.fields.get("email")
    phone = row.body.get("defaultPhoneNumber", {}).get("phoneNumber") or row.fields.get("phone")
    own |= {name: value for name, value in (("email", email), ("phone", phone)) if value}
    if row.body.get("defaultAddress"):
        own["addresses"] = [_native_address(row.body["defaultAddress"])]
    arguments = {
        "identifier": ("CustomerSetIdentifiers", {"customId": {**ROW_KEY, "value": row.key}}),
        "input": ("CustomerSetInput!", own),
    }
    return Step([row], "customerSet", arguments, "customer { id }", "code field message")


def _give_keys_a_place(shop: Shop) -> None:
    """The metafield our keys stand in has to be defined as one that is unique; once is enough, and twice no harm."""
    with shop.once:
        if shop.keyed:
            return
        definition = {
            **ROW_KEY, "name": "OmniHub key", "ownerType": "CUSTOMER", "type": "id",
            "capabilities": {"uniqueValues": {"enabled": True}},
        }  # fmt: skip
        answer = shop.ask(DEFINE, {"definition": definition}, cost=MUTATION_POINTS)
        told = value_at(answer.response.content, "data.metafieldDefinitionCreate.userErrors") or []
        if told and told[0].get("code") != "TAKEN":
            raise RejectedRecord(f"{shop.http.system}: no place for the hub's keys: {told[0].get('code')}")
        shop.keyed = True


def find_document(count: int) -> str:
    """Customers by their keys, each under a name of its own."""
    declared = ", ".join(f"$k{n}: CustomerIdentifierInput!" for n in range(count))
    asked = "\n".join(f"k{n}: customerByIdentifier(identifier: $k{n}) {{ {CUSTOMER} }}" for n in range(count))
    return f"query find({declared}) {{ {asked} }}"


def find_customers(shop: Shop, keys: Sequence[str]) -> Iterator[Page]:
    """The customers made for these keys; who was not made, or is gone, is missing."""
    for start in range(0, len(keys), FIND_AT_ONCE):
        seen, found = _by_key(shop, keys[start : start + FIND_AT_ONCE])
        yield Page(seen, [r for _, raw in found for r in records(b"[" + raw + b"]", updated="updatedAt")])


def _by_key(shop: Shop, keys: Sequence[str]) -> tuple[Exchange, list[tuple[str, bytes]]]:
    """Key → the customer's bytes. A key that no place is made for yet is nobody's."""
    named = {f"k{n}": {"customId": {**ROW_KEY, "value": key}} for n, key in enumerate(keys)}
    answer = shop.ask(find_document(len(keys)), named, cost=4 * len(keys))
    found: dict[str, msgspec.Raw] = value_at(answer.response.content, "data", dict[str, msgspec.Raw]) or {}
    pairs = ((key, bytes(found[f"k{n}"])) for n, key in enumerate(keys))
    return exchange(answer.response), [(key, raw) for key, raw in pairs if raw != b"null"]


MERGE = """mutation merge($one: ID!, $two: ID!) {
  customerMerge(customerOneId: $one, customerTwoId: $two) {
    resultingCustomerId job { id done } userErrors { code field message }
  }
}"""
MERGED = """query merged($job: ID!) {
  customerMergeJobStatus(jobId: $job) { status resultingCustomerId customerMergeErrors { message } }
}"""
PREVIEW = """query preview($one: ID!, $two: ID!) {
  customerMergePreview(customerOneId: $one, customerTwoId: $two) { resultingCustomerId customerMergeErrors { message } }
}"""
MERGE_WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0)


def merge_customers(shop: Shop, one: str, two: str) -> tuple[str, str]:
    """Make one customer of two, once and for all: (who stayed, who is gone). The shop chooses, not the order.

    RejectedRecord says that they can't be merged, or that the job failed; RetryableError that it is still under way.
    """
    given = {"one": one, "two": two}
    seen = shop.ask(PREVIEW, given, cost=10).response.content
    if value_at(seen, "data.customerMergePreview.customerMergeErrors"):
        raise RejectedRecord(f"{shop.http.system}: {one} and {two} can't be merged", code="MERGE_BLOCKED", body=seen)
    answer = shop.ask(MERGE, given, cost=MUTATION_POINTS, safe=False).response.content
    told = value_at(answer, "data.customerMerge.userErrors")
    if told:
        raise RejectedRecord(f"{shop.http.system}: {one} and {two} were not merged", code=str(told[0].get("code")))
    job = value_at(answer, "data.customerMerge.job.id")
    for wait_s in MERGE_WAITS_S:
        body = shop.ask(MERGED, {"job": job}, cost=2).response.content
        status = value_at(body, "data.customerMergeJobStatus.status")
        if status == "COMPLETED":
            kept = str(value_at(body, "data.customerMergeJobStatus.resultingCustomerId"))
            return kept, two if kept == one else one
        if status == "FAILED":
            raise RejectedRecord(f"{shop.http.system}: merging {one} and {two} failed", code="MERGE_FAILED", body=body)
        shop.http.wait(wait_s)
    raise RetryableError(f"{shop.http.system}: {one} and {two} are still being merged; look again later")
