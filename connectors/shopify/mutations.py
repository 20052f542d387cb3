"""What the stand-in's mutations do, and how they say no: HTTP 200, and `userErrors` that name the field.

A mutation that has user errors has written nothing, unless it was told that partial updates are welcome.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLResolveInfo

from connectors.shopify.bulking import BULK_MUTATIONS
from connectors.shopify.shapes import ADDRESS, PARENTS, address_id, country, seconds
from omnihub.sandbox.state import Obj, iso

if TYPE_CHECKING:
    from connectors.shopify.sandbox import Shopify

LONGEST = 255
MOST = 250
METAFIELDS_A_CALL = 25
TAGGED = ("customers", "products", "orders")

UserError = dict[str, Any]


def error(field: Sequence[str] | None, message: str, code: str = "INVALID") -> UserError:
    """One user error. Where the vendor's error has no code, none is shown."""
    return {"field": list(field) if field else None, "message": message, "code": code}


# -- customers ---------------------------------------------------------------------------------------------------------


def customer_update(root: Any, info: GraphQLResolveInfo, input: Mapping[str, Any]) -> dict[str, Any]:
    """Names, language, e-mail … of one customer. A list that is given replaces the list there is."""
    shop: Shopify = info.context
    obj = shop.living("customers", input.get("id") or "")
    if obj is None:
        return {"customer": None, "userErrors": [error(["id"], "Customer does not exist")]}
    return _put_customer(shop, obj, input, [])


def customer_set(
    root: Any, info: GraphQLResolveInfo, input: Mapping[str, Any], identifier: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Update the customer so identified, or create it."""
    shop: Shopify = info.context
    named = identifier or {}
    custom = named.get("customId")
    if custom and not _defined(shop, custom):
        message = "Metafield definition of type 'id' is required when using custom ids."
        return {"customer": None, "userErrors": [error(["identifier", "customId"], message, "METAFIELD_MISMATCH")]}
    obj = identified(shop, named)
    if obj is None and "id" in named:
        return {
            "customer": None,
            "userErrors": [error(["identifier"], "Resource matching the identifier was not found.", "NOT_FOUND")],
        }
    found = {k: v for k, v in named.items() if k not in ("id", "customId")}
    done = _put_customer(shop, obj or _new(shop, "customers"), {**found, **input}, ["input"])
    if custom and obj is None and done["customer"]:
        given = {"ownerId": done["customer"]["id"], **_key_of(custom), "type": "id", "value": custom["value"]}
        _put(shop, given, None)
    return done


def identified(shop: Shopify, named: Mapping[str, Any]) -> Obj | None:
    """The customer an identifier is of."""
    if "id" in named:
        return shop.living("customers", named["id"])
    if "customId" in named:
        wanted = (_namespace(named["customId"]), named["customId"]["key"])
        held = shop.state.find("metafields", "$.value", named["customId"]["value"])
        owners = [o.body["owner"] for o in held if (o.body["namespace"], o.body["key"]) == wanted]
        return next((obj for owner in owners if (obj := shop.living("customers", owner))), None)
    places = {"email": "$.defaultEmailAddress.emailAddress", "phone": "$.defaultPhoneNumber.phoneNumber"}
    found = [o for name, value in named.items() for o in shop.state.find("customers", places[name], value, nocase=True)]
    return found[0] if found else None


def _key_of(custom: Mapping[str, Any]) -> dict[str, str]:
    return {"namespace": _namespace(custom), "key": custom["key"]}


def _defined(shop: Shopify, custom: Mapping[str, Any]) -> bool:
    return [_namespace(custom), custom["key"]] in shop.state.note("definitions", [])


def define_metafield(root: Any, info: GraphQLResolveInfo, definition: Mapping[str, Any]) -> dict[str, Any]:
    """A place for values, once."""
    shop: Shopify = info.context
    held = shop.state.note("definitions", [])
    if _defined(shop, definition):
        wrong = [error(["definition", "key"], "Key is in use for Customer metafields.", "TAKEN")]
        return {"createdDefinition": None, "userErrors": wrong}
    shop.state.keep("definitions", [*held, [_namespace(definition), definition["key"]]])
    made = {"id": f"gid://shopify/MetafieldDefinition/{len(held) + 1}", **_key_of(definition)}
    return {"createdDefinition": made, "userErrors": []}


def consent_update(root: Any, info: GraphQLResolveInfo, input: Mapping[str, Any]) -> dict[str, Any]:
    """A yes or a no by e-mail. What was said before what is known already is passed over in silence."""
    shop: Shopify = info.context
    obj, given = shop.living("customers", input["customerId"]), input["emailMarketingConsent"]
    held = (obj.body.get("defaultEmailAddress") if obj else None) or {}
    wrong = _consent_errors(obj, held, given)
    if obj is None or wrong:
        return {"customer": None, "userErrors": wrong}
    at = exact_second(given.get("consentUpdatedAt") or shop.state.tick())
    older = bool(held.get("marketingUpdatedAt")) and at < exact_second(held["marketingUpdatedAt"])
    if not (older and shop.options.get("older_consent_ignored", True)):
        level = given.get("marketingOptInLevel")
        held |= {"marketingState": given["marketingState"], "marketingOptInLevel": level, "marketingUpdatedAt": at}
        shop.save(obj)
    return {"customer": shop.shown(obj), "userErrors": []}


def exact_second(moment: str) -> str:
    """A time as the shop shows it, whatever zone it was told in."""
    return seconds(iso(datetime.fromisoformat(moment)))


def _consent_errors(obj: Obj | None, held: Mapping[str, Any], given: Mapping[str, Any]) -> list[UserError]:
    at = ["input", "emailMarketingConsent"]
    if obj is None:
        return [error(["input", "customerId"], "Customer not found", "INVALID")]
    if not held.get("emailAddress"):
        return [error(at, "The customer must have an email address to update their consent", "INVALID")]
    if given["marketingState"] not in ("SUBSCRIBED", "UNSUBSCRIBED", "PENDING"):
        return [error([*at, "marketingState"], "Cannot specify this marketing state", "INCLUSION")]
    return []


def _new(shop: Shopify, stream: str) -> Obj:
    """An object that isn't kept yet."""
    n, at = shop.state.next_n(stream), shop.state.tick()
    return Obj(stream, shop.native_id(stream, n), n, {}, at, at, version=0)


def _put_customer(shop: Shopify, obj: Obj, given: Mapping[str, Any], prefix: list[str]) -> dict[str, Any]:
    wrong = _customer_errors(shop, obj, given)
    if wrong:
        return {
            "customer": None,
            "userErrors": [{**e, "field": prefix + e["field"] if e["field"] else None} for e in wrong],
        }
    body = obj.body
    body |= {name: given[name] for name in ("firstName", "lastName", "locale", "note", "tags") if name in given}
    for name, part, key in (
        ("email", "defaultEmailAddress", "emailAddress"),
        ("phone", "defaultPhoneNumber", "phoneNumber"),
    ):
        if name in given:
            body[part] = {**(body.get(part) or {}), key: given[name]}
    if given.get("addresses") is not None:
        addresses = [_address(shop, {}, a) for a in given["addresses"]]
        body["defaultAddress"], body["moreAddresses"] = next(iter(addresses), None), addresses[1:]
    return {"customer": shop.shown(shop.save(obj)), "userErrors": []}


def _customer_errors(shop: Shopify, obj: Obj, given: Mapping[str, Any]) -> list[UserError]:
    names = {"firstName": "First name", "lastName": "Last name", "note": "Note"}
    wrong = [e for name, label in names.items() for e in _too_long(name, label, given)]
    wrong += _unique(
        shop, obj, given, "email", "Email", r"[^@\s]+@[^@\s]+\.[^@\s]+", "$.defaultEmailAddress.emailAddress"
    )
    wrong += _unique(shop, obj, given, "phone", "Phone", r"\+\d{7,15}", "$.defaultPhoneNumber.phoneNumber")
    if given.get("locale") and not re.fullmatch(r"[a-z]{2}(-[A-Za-z]{2,4})?", given["locale"]):
        wrong.append(error(["locale"], "Locale is invalid"))
    held = obj.body
    left = [given.get(n, held.get(n)) for n in ("firstName", "lastName")]
    left += [
        given.get(n, held.get(part)) for n, part in (("email", "defaultEmailAddress"), ("phone", "defaultPhoneNumber"))
    ]
    if not wrong and not any(left):
        wrong.append(error(None, "A name, phone number, or email address must be present", "BLANK"))
    return wrong


def _too_long(name: str, label: str, given: Mapping[str, Any]) -> list[UserError]:
    long = len(given.get(name) or "") > LONGEST
    return [error([name], f"{label} is too long (maximum is {LONGEST} characters)", "TOO_LONG")] if long else []


def _unique(
    shop: Shopify, obj: Obj, given: Mapping[str, Any], name: str, label: str, form: str, place: str
) -> list[UserError]:
    value = given.get(name)
    if not value:
        return []
    if not re.fullmatch(form, value):
        return [error([name], f"{label} is invalid")]
    if any(o.id != obj.id for o in shop.state.find("customers", place, value, nocase=True)):
        return [error([name], f"{label} has already been taken", "TAKEN")]
    return []


def address_create(
    root: Any, info: GraphQLResolveInfo, customerId: str, address: Mapping[str, Any], setAsDefault: bool | None = None
) -> dict[str, Any]:
    """One more address; a customer's first is its default."""
    shop: Shopify = info.context
    obj = shop.living("customers", customerId)
    wrong = _address_errors(address) if obj else [error(["customerId"], "Customer does not exist")]
    if obj is None or wrong:
        return {"address": None, "userErrors": wrong}
    made = _address(shop, {}, address)
    _place(obj.body, made, first=bool(setAsDefault) or not obj.body.get("defaultAddress"))
    shop.save(obj)
    return {"address": made, "userErrors": []}


def address_update(
    root: Any,
    info: GraphQLResolveInfo,
    customerId: str,
    addressId: str,
    address: Mapping[str, Any],
    setAsDefault: bool | None = None,
) -> dict[str, Any]:
    """Change what is given of one address."""
    shop: Shopify = info.context
    obj = shop.living("customers", customerId)
    if obj is None:
        return {"address": None, "userErrors": [error(["customerId"], "Customer does not exist")]}
    default = obj.body.get("defaultAddress")
    found = next((a for a in [default, *obj.body.get("moreAddresses", [])] if a and a["id"] == addressId), None)
    wrong = _address_errors(address) if found else [error(["addressId"], "Address does not exist")]
    if found is None or wrong:
        return {"address": None, "userErrors": wrong}
    changed = _address(shop, found, address)
    _place(obj.body, changed, first=found is default or bool(setAsDefault))
    shop.save(obj)
    return {"address": changed, "userErrors": []}


def _place(body: dict[str, Any], address: dict[str, Any], *, first: bool) -> None:
    """Put an address among the others, as the default or not."""
    held = [body["defaultAddress"]] if body.get("defaultAddress") else []
    others = [a for a in (held + body.get("moreAddresses", [])) if a["id"] != address["id"]]
    ordered = [address, *others] if first else [*others, address]
    body["defaultAddress"], body["moreAddresses"] = ordered[0], ordered[1:]


def _address(shop: Shopify, held: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    changed = {**held, **{name: given[name] for name in ADDRESS if name in given}}
    if "countryCode" in given:
        changed |= country(given["countryCode"])
    if "id" not in changed:
        made = shop.state.note("addresses", 0) + 1
        shop.state.keep("addresses", made)
        changed["id"] = address_id(500_000_000_000 + made)
    return changed


def _address_errors(given: Mapping[str, Any]) -> list[UserError]:
    return [
        error(["address", name], f"{name} is too long (maximum is {LONGEST} characters)", "TOO_LONG")
        for name in ADDRESS
        if len(given.get(name) or "") > LONGEST
    ]


def customer_delete(root: Any, info: GraphQLResolveInfo, input: Mapping[str, Any]) -> dict[str, Any]:
    """Only a customer who never ordered."""
    shop: Shopify = info.context
    obj = shop.living("customers", input["id"])
    wrong = [] if obj else [error(["id"], "Customer can't be found")]
    if obj and shop.state.find("orders", "$.customer", obj.id):
        wrong = [error(["id"], "Customer can’t be deleted because they have associated orders")]
    if obj and not wrong:
        obj.deleted = True
        shop.state.save(obj)
    return {"deletedCustomerId": None if wrong else input["id"], "shop": SHOP, "userErrors": wrong}


ERASED_AFTER = timedelta(days=10)
ERASED_AFTER_ORDER = timedelta(days=180)


def request_erasure(root: Any, info: GraphQLResolveInfo, customerId: str) -> dict[str, Any]:
    """Taken, and carried out in its time; asked again, the first request stands."""
    shop: Shopify = info.context
    obj = shop.living("customers", customerId)
    if obj is None:
        wrong = [error(["customerId"], "Customer does not exist.", "DOES_NOT_EXIST")]
        return {"customerId": None, "userErrors": wrong}
    if customerId in shop.options.get("keeps", ()):
        wrong = [error(["customerId"], "Failed to request customer data erasure.", "FAILED_TO_REQUEST")]
        return {"customerId": None, "userErrors": wrong}
    waiting = shop.state.note("erasures", {})
    shop.state.keep("erasures", {customerId: iso(_erased_at(shop, obj)), **waiting})
    return {"customerId": customerId, "userErrors": []}


def _erased_at(shop: Shopify, obj: Obj) -> datetime:
    ordered = [o.body.get("processedAt") or o.created_at for o in shop.state.find("orders", "$.customer", obj.id)]
    last = [datetime.fromisoformat(at) + ERASED_AFTER_ORDER for at in ordered]
    return max([shop.now() + ERASED_AFTER, *last])


def cancel_erasure(root: Any, info: GraphQLResolveInfo, customerId: str) -> dict[str, Any]:
    """Not to be erased after all."""
    shop: Shopify = info.context
    waiting = shop.state.note("erasures", {})
    if customerId not in waiting:
        wrong = [error(["customerId"], "Customer's data is not scheduled for erasure.", "NOT_BEING_ERASED")]
        return {"customerId": None, "userErrors": wrong}
    shop.state.keep("erasures", {id_: at for id_, at in waiting.items() if id_ != customerId})
    return {"customerId": customerId, "userErrors": []}


def customer_merge(
    root: Any,
    info: GraphQLResolveInfo,
    customerOneId: str,
    customerTwoId: str,
    overrideFields: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One of two stays. Which one is not the order of the arguments; here it is the older."""
    shop: Shopify = info.context
    wrong = merge_errors(shop, customerOneId, customerTwoId)
    one, two = (shop.living("customers", id_) for id_ in (customerOneId, customerTwoId))
    if wrong or one is None or two is None:
        return {"job": None, "resultingCustomerId": None, "userErrors": wrong}
    kept, lost = merge_survivor(one, two)
    lost.deleted, lost.merged_into = True, kept.id
    kept.body |= {k: v for k, v in lost.body.items() if kept.body.get(k) in (None, "", [])}
    kept.body |= {k: v for k, v in (overrideFields or {}).items() if k in ("note", "tags")}
    shop.state.save(lost)
    shop.save(kept)
    job = f"gid://shopify/Job/{hashlib.sha256(f'{kept.id}{lost.id}'.encode()).hexdigest()[:12]}"
    shop.state.keep("merges", {**shop.state.note("merges", {}), job: kept.id})
    return {"job": {"id": job, "done": False}, "resultingCustomerId": kept.id, "userErrors": []}


def merge_errors(shop: Shopify, one: str, two: str) -> list[UserError]:
    """Why two customers can't be merged."""
    given = {"customerOneId": one, "customerTwoId": two}
    wrong = [
        error([name], "Customer does not exist", "INVALID_CUSTOMER_ID")
        for name, id_ in given.items()
        if not shop.living("customers", id_)
    ]
    return [error(["customerTwoId"], "Customers must be different", "INVALID_CUSTOMER")] if one == two else wrong


def merge_survivor(one: Obj, two: Obj) -> tuple[Obj, Obj]:
    """(who stays, who goes): the older stays."""
    return (one, two) if one.n < two.n else (two, one)


# -- products ----------------------------------------------------------------------------------------------------------


def product_update(root: Any, info: GraphQLResolveInfo, product: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Change what is given of one product."""
    shop: Shopify = info.context
    given = product or {}
    obj = shop.living("products", given.get("id") or "")
    if obj is None:
        return {"product": None, "userErrors": [error(["id"], "Product does not exist")]}
    wrong = _too_long("title", "Title", given)
    if "title" in given and not (given["title"] or "").strip():
        wrong = [error(["title"], "Title can't be blank")]
    if wrong:
        return {"product": None, "userErrors": wrong}
    obj.body |= {name: value for name, value in given.items() if name != "id"}
    return {"product": shop.shown(shop.save(obj)), "userErrors": []}


def variants_update(
    root: Any,
    info: GraphQLResolveInfo,
    productId: str,
    variants: Sequence[Mapping[str, Any]],
    allowPartialUpdates: bool | None = False,
) -> dict[str, Any]:
    """Change variants of one product; all of them or none, unless partial updates are allowed."""
    shop: Shopify = info.context
    at_most(MOST, variants)
    product = shop.living("products", productId)
    if product is None:
        wrong = [error(["productId"], "Product does not exist", "PRODUCT_DOES_NOT_EXIST")]
        return {"product": None, "productVariants": None, "userErrors": wrong}
    found = [shop.living("variants", given.get("id") or "") for given in variants]
    wrong = [e for i, given in enumerate(variants) for e in _variant_errors(i, given, found[i], productId)]
    refused = {int(e["field"][1]) for e in wrong}
    written = []
    if not wrong or allowPartialUpdates:
        for i, (given, obj) in enumerate(zip(variants, found, strict=True)):
            if obj and i not in refused:
                obj.body |= {name: value for name, value in given.items() if name != "id"}
                written.append(shop.shown(shop.save(obj)))
    changed = shop.living("products", productId) or product
    return {"product": shop.shown(changed), "productVariants": written or None, "userErrors": wrong}


def _variant_errors(i: int, given: Mapping[str, Any], obj: Obj | None, product: str) -> list[UserError]:
    at = ["variants", str(i)]
    if not given.get("id"):
        return [error([*at, "id"], "Product variant is missing ID attribute", "PRODUCT_VARIANT_ID_MISSING")]
    if obj is None or obj.body[PARENTS["variants"][1]] != product:
        return [error([*at, "id"], "Product variant does not exist", "PRODUCT_VARIANT_DOES_NOT_EXIST")]
    if given.get("price") is not None and Decimal(given["price"]) < 0:
        return [error([*at, "price"], "Price must be greater than or equal to 0", "GREATER_THAN_OR_EQUAL_TO")]
    return []


# -- anything ----------------------------------------------------------------------------------------------------------


def metafields_set(root: Any, info: GraphQLResolveInfo, metafields: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Up to 25, all or none. `compareDigest` says which present value the writer has seen."""
    shop: Shopify = info.context
    if len(metafields) > METAFIELDS_A_CALL:
        wrong = [
            error(
                ["metafields"],
                f"Exceeded the maximum metafields input limit of {METAFIELDS_A_CALL}.",
                "LESS_THAN_OR_EQUAL_TO",
            )
        ]
        return {"metafields": None, "userErrors": wrong}
    held = [_held(shop, given) for given in metafields]
    wrong = [e for i, given in enumerate(metafields) for e in _metafield_errors(shop, i, given, held[i])]
    if wrong:
        return {"metafields": None, "userErrors": wrong}
    return {
        "metafields": [_put(shop, given, obj) for given, obj in zip(metafields, held, strict=True)],
        "userErrors": [],
    }


def _held(shop: Shopify, given: Mapping[str, Any]) -> Obj | None:
    found = shop.state.find("metafields", "$.owner", given["ownerId"])
    return next((o for o in found if (o.body["namespace"], o.body["key"]) == (_namespace(given), given["key"])), None)


def _namespace(given: Mapping[str, Any]) -> str:
    return given.get("namespace") or "app--1"  # without one it is the app's own


def _metafield_errors(shop: Shopify, i: int, given: Mapping[str, Any], held: Obj | None) -> list[UserError]:
    at = ["metafields", str(i)]
    wrong = []
    if shop.node(given["ownerId"]) is None:
        wrong.append(error([*at, "ownerId"], "Owner does not exist.", "INVALID_VALUE"))
    if held is None and not given.get("type"):
        wrong.append(error([*at, "type"], "Type can't be blank", "BLANK"))
    if not given["value"]:
        wrong.append(error([*at, "value"], "Value can't be blank.", "BLANK"))
    digest = held.body["compareDigest"] if held else None
    if "compareDigest" in given and given["compareDigest"] != digest:
        wrong.append(
            error(
                [*at],
                "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value.",
                "STALE_OBJECT",
            )
        )
    return [{**e, "elementIndex": i} for e in wrong]


def _put(shop: Shopify, given: Mapping[str, Any], held: Obj | None) -> dict[str, Any]:
    obj = held or _new(shop, "metafields")
    obj.body |= {
        "owner": given["ownerId"],
        "namespace": _namespace(given),
        "key": given["key"],
        "type": given.get("type") or obj.body["type"],
        "value": given["value"],
        "compareDigest": hashlib.sha256(given["value"].encode()).hexdigest(),
    }
    shop.state.save(obj)
    if shop.options.get("metafields_touch", True):
        shop.touch(given["ownerId"])
    return shop.shown(obj)


def metafields_delete(root: Any, info: GraphQLResolveInfo, metafields: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Take values away; one that is not there is no mistake."""
    shop: Shopify = info.context
    deleted = []
    for given in metafields:
        held = _held(shop, given)
        if held:
            held.deleted = True
            shop.state.save(held)
        deleted.append({k: given[k] for k in ("ownerId", "namespace", "key")} if held else None)
    return {"deletedMetafields": deleted, "userErrors": []}


def tags_add(root: Any, info: GraphQLResolveInfo, id: str, tags: Sequence[str]) -> dict[str, Any]:
    """Add what is not there yet."""
    return _retagged(info.context, id, tags, lambda held: list(dict.fromkeys([*held, *tags])))


def tags_remove(root: Any, info: GraphQLResolveInfo, id: str, tags: Sequence[str]) -> dict[str, Any]:
    """Take off what is there of these."""
    return _retagged(info.context, id, tags, lambda held: [tag for tag in held if tag not in tags])


def _retagged(
    shop: Shopify, id_: str, tags: Sequence[str], change: Callable[[Sequence[str]], list[str]]
) -> dict[str, Any]:
    at_most(MOST, tags)
    obj = shop.by_gid(id_)
    if obj is None or obj.stream not in TAGGED:
        return {"node": None, "userErrors": [error(["id"], "Resource does not exist")]}
    obj.body["tags"] = change(obj.body.get("tags") or [])
    if not obj.body["tags"] and obj.stream == "orders":
        del obj.body["tags"]  # most have none, and there are many
    return {"node": shop.shown(shop.save(obj)), "userErrors": []}


def at_most(most: int, values: Sequence[Any]) -> Sequence[Any]:
    """The values, unless they are too many for one call."""
    if len(values) > most:
        message = f"The input array size of {len(values)} is greater than the maximum allowed of {most}."
        raise GraphQLError(message, extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"})
    return values


SHOP = {
    "__typename": "Shop",
    "id": "gid://shopify/Shop/1",
    "name": "Sandbox",
    "myshopifyDomain": "sandbox.myshopify.com",
    "currencyCode": "EUR",
}

MUTATIONS: dict[str, Callable[..., Any]] = {
    "customerUpdate": customer_update,
    "customerAddressCreate": address_create,
    "customerAddressUpdate": address_update,
    "customerSet": customer_set,
    "customerEmailMarketingConsentUpdate": consent_update,
    "customerDelete": customer_delete,
    "customerRequestDataErasure": request_erasure,
    "customerCancelDataErasure": cancel_erasure,
    "customerMerge": customer_merge,
    "productUpdate": product_update,
    "productVariantsBulkUpdate": variants_update,
    "metafieldsSet": metafields_set,
    "metafieldsDelete": metafields_delete,
    "metafieldDefinitionCreate": define_metafield,
    "tagsAdd": tags_add,
    "tagsRemove": tags_remove,
    **BULK_MUTATIONS,
}
