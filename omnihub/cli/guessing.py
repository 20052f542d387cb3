"""What a call or a field of somebody's document probably is: tables of names, and how they are looked up.

    ENTITIES    what a list is about, by the last word of its address
    FIELDS      which field of the entity a property is, by its name; the better names come first
    the rest    how lists go on, what filters changes, how often one may call

Names are compared without case and punctuation: `postalCode`, `postal_code` and `Postal-Code` are one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from omnihub.cli.openapi import Call, Leaf, Parameter
from omnihub.model import Entity, Kind, fields_of

ENTITIES: Mapping[Entity, str] = {
    Entity.ACCOUNT: "account company organization organisation customer dealer partner client business firm",
    Entity.CONTACT: "contact user person people member subscriber lead individual buyer patient guest",
    Entity.PRODUCT: "product article item sku material variant",
    Entity.PRICE: "price pricelist pricelistitem tariff",
    Entity.PROMOTION: "promotion coupon discount voucher campaign offer",
    Entity.DEAL: "deal opportunity quote",
    Entity.CART: "cart basket checkout abandonedcheckout abandonedcart",
    Entity.ORDER: "order salesorder purchase",
    Entity.LINE: "line lineitem orderline orderitem quoteline quoteitem cartline cartitem",
    Entity.TICKET: "ticket case issue incident servicerequest",
    Entity.DEVICE: "device machine asset equipment installation",
    Entity.INTERACTION: "interaction activity event login visit call alarm",
    Entity.CONSENT: "consent permission subscription",
    Entity.FEEDBACK: "feedback review survey rating satisfactionrating",
}
LIKE_A_PERSON = {"firstname", "lastname", "givenname", "familyname", "surname"}

_STREET = "street street1 address1 line1 addressline1 streetaddress address"
_ADDRESS = {
    "street": _STREET,
    "postal_code": "postalcode zip zipcode postcode plz",
    "city": "city town locality",
    "region": "region province stateorprovince",
    "country": "countrycode country countryiso",
}
POSTAL = {"city", "zip", "zipcode", "postalcode", "postcode"}
_ACCOUNT_LINK = "accountid companyid organizationid organisationid customerid clientid dealerid partnerid"
_CONTACT_LINK = "contactid userid personid requesterid customerid memberid subscriberid"
_MADE = "createdat created createdon creationdate createdtime createtime"

FIELDS: Mapping[Entity, Mapping[str, str]] = {
    Entity.ACCOUNT: {
        "name": "companyname company organizationname legalname name title displayname",
        "vat_id": "vatid vatnumber vat taxid taxnumber ustid",
        "domain": "domain domainname website homepage",
        "phone": "phone phonenumber telephone tel mainphone",
        "email": "email emailaddress mail",
        **_ADDRESS,
        "parent": "parentid parentaccountid parentcompanyid",
        "industry": "industry sector branch",
        "customer_group": "customergroup group segment tier",
        "status": "status lifecyclestatus state",
    },
    Entity.CONTACT: {
        "first_name": "firstname givenname forename",
        "last_name": "lastname familyname surname",
        "email": "email emailaddress mail",
        "phone": "phone phonenumber telephone tel",
        "mobile": "mobile mobilephone mobilenumber cell cellphone",
        "job_title": "jobtitle position title",
        "language": "language lang locale",
        "company": "companyname company",
        "marketing_consent": "marketingconsent acceptsmarketing newsletter optin marketingoptin",
        **_ADDRESS,
        "account": _ACCOUNT_LINK,
    },
    Entity.PRODUCT: {
        "sku": "sku articlenumber itemnumber productnumber partnumber",
        "gtin": "gtin ean barcode upc",
        "name": "name title productname",
        "description": "description",
        "unit": "unit unitofmeasure uom",
        "category": "category producttype",
        "status": "status state",
        "price": "price listprice unitprice",
        "currency": "currency currencycode",
    },
    Entity.PRICE: {
        "sku": "sku articlenumber productnumber",
        "price_list": "pricelist pricelistid",
        "customer_group": "customergroup group",
        "currency": "currency currencycode",
        "amount": "amount price unitprice value",
        "unit": "unit uom",
        "min_quantity": "minquantity minimumquantity fromquantity",
        "valid_from": "validfrom startdate startsat",
        "valid_to": "validto validuntil enddate endsat",
    },
    Entity.PROMOTION: {
        "code": "code couponcode",
        "name": "name title",
        "sku": "sku",
        "discount": "discount percent percentage",
        "valid_from": "validfrom startdate startsat",
        "valid_to": "validto validuntil enddate endsat",
    },
    Entity.DEAL: {
        "name": "name title",
        "account": _ACCOUNT_LINK,
        "contact": _CONTACT_LINK,
        "amount": "amount value total",
        "currency": "currency currencycode",
        "stage": "stage status",
        "closes_on": "closedate expectedclosedate closeson validuntil",
    },
    Entity.CART: {
        "name": "name number reference",
        "account": _ACCOUNT_LINK,
        "contact": _CONTACT_LINK,
        "changed_at": "updatedat updated modifiedat changedat lastmodified",
        "ordered_at": "completedat orderedat convertedat",
        "currency": "currency currencycode",
        "total": "total totalprice totalamount grandtotal amount",
    },
    Entity.ORDER: {
        "number": "number ordernumber name reference",
        "account": _ACCOUNT_LINK,
        "contact": _CONTACT_LINK,
        "ordered_at": f"orderedat orderdate placedat {_MADE}",
        "status": "status state",
        "currency": "currency currencycode",
        "total": "total totalprice totalamount grandtotal amount",
        "tracking": "tracking trackingnumber",
        "delivered_at": "deliveredat",
    },
    Entity.LINE: {
        "sku": "sku articlenumber",
        "name": "name title description",
        "quantity": "quantity qty",
        "unit_price": "unitprice price",
        "currency": "currency currencycode",
    },
    Entity.TICKET: {
        "subject": "subject title summary",
        "contact": _CONTACT_LINK,
        "account": _ACCOUNT_LINK,
        "status": "status state",
        "channel": "channel",
        "opened_at": f"openedat {_MADE}",
        "answered_at": "answeredat firstresponseat",
        "solved_at": "solvedat resolvedat closedat",
        "satisfaction": "satisfaction satisfactionscore",
    },
    Entity.DEVICE: {
        "serial": "serial serialnumber",
        "sku": "sku model type",
        "name": "name label",
        "account": _ACCOUNT_LINK,
        "installed_on": "installedon installedat installationdate",
        "status": "status state",
    },
    Entity.INTERACTION: {
        "kind": "kind type eventtype",
        "at": f"at timestamp time occurredat {_MADE}",
        "contact": _CONTACT_LINK,
        "account": _ACCOUNT_LINK,
        "device": "deviceid",
        "channel": "channel",
        "detail": "detail description message",
    },
    Entity.CONSENT: {
        "contact": _CONTACT_LINK,
        "purpose": "purpose kind topic",
        "state": "state status",
        "at": f"at timestamp {_MADE}",
    },
    Entity.FEEDBACK: {
        "contact": _CONTACT_LINK,
        "at": f"at submittedat {_MADE}",
        "score": "score rating stars",
        "detail": "comment text message",
    },
}

YES = "true yes granted given subscribed optin optedin confirmed allowed accepted".split()
NO = "false no denied withdrawn revoked unsubscribed optout optedout refused declined".split()

UPDATED = "updatedat updated lastmodified modifiedat modified lastupdated updatedon modifiedon lastmodifieddate"
DELETED = "deletedat deleted isdeleted removedat"
MERGED = "mergedinto mergedintoid"
VERSION = "etag version revision rev lockversion"

SIZES = "limit pagesize perpage size count top maxresults pagelimit take"
OFFSETS = "offset skip start startindex startat from"
NUMBERS = "page pagenumber pageno pageindex pageno"
CURSORS = (
    "cursor after pageafter pagetoken nextcursor startingafter nextpagetoken continuationtoken continuation marker"
)
NEXT_CURSORS = (
    "nextcursor aftercursor endcursor nextpagetoken nexttoken after continuationtoken continuation cursor marker"
)
NEXT_URLS = "next nextpage nexturl nextlink afterurl"
MORES = "hasmore hasnext hasnextpage more"
PAGE_COUNTS = "totalpages pagecount pages lastpage"
TOTALS = "total totalcount totalelements totalresults totalitems"
SINCES = (
    "updatedsince updatedafter modifiedsince modifiedafter changedsince changedafter updatedfrom lastmodifiedsince "
    "updatedatmin updatedatgte updatedgte updatedatfrom since ifmodifiedsince"
)

RATE = re.compile(
    r"(\d[\d,.]*)\s*(?:api\s+)?(?:requests|calls|queries)?\s*(?:per|/|a|an|every|in)\s*(\d+)?\s*"
    r"(second|sec|minute|min|hour|s\b|m\b|h\b)",
    re.IGNORECASE,
)
SECONDS = {"s": 1, "m": 60, "h": 3600}


def plain(name: str) -> str:
    """A name without case and punctuation.

    >>> plain("postal_Code"), plain("page[size]")
    ('postalcode', 'pagesize')
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def quoted(text: str) -> str:
    """A text of somebody's document as a text in Python, whatever is in it.

    >>> quoted('a "b"')
    '"a \\\\"b\\\\""'
    """
    return json.dumps(text)


def best(names: Iterable[str], wanted: str) -> str:
    """The name that is wanted most, "" where none is.

    >>> best(["id", "Modified", "updated_at"], UPDATED)
    'updated_at'
    """
    found = {plain(name): name for name in names}
    return next((found[word] for word in wanted.split() if word in found), "")


def singular(word: str) -> str:
    """One of them.

    >>> [singular(w) for w in ("companies", "addresses", "orders", "status")]
    ['company', 'address', 'order', 'status']
    """
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us")) else word


def rank_of(entity: Entity, path: str) -> int:
    """How far down the words of an entity the last word of an address stands: 0 is its own name."""
    word, words = plain(path.rstrip("/").rpartition("/")[2]), ENTITIES[entity].split()
    return next((n for n, one in enumerate(words) if one in (word, singular(word))), len(words))


def entity_of(path: str, leaves: Sequence[Leaf]) -> Entity | None:
    """What the list at this address is about.

    >>> [str(entity_of(path, [])) for path in ("/v1/carts", "/v1/abandoned-checkouts", "/v1/cart-items")]
    ['cart', 'cart', 'line']
    """
    word = plain(path.rstrip("/").rpartition("/")[2])
    found = next((e for e, words in ENTITIES.items() if {word, singular(word)} & set(words.split())), None)
    if found is Entity.ACCOUNT and {plain(leaf.name) for leaf in leaves} & LIKE_A_PERSON:
        return Entity.CONTACT  # a shop's customers are people
    return found


@dataclass(frozen=True)
class Match:
    """A property taken for a field. sure: it has the field's own name."""

    field: str
    leaf: Leaf
    sure: bool


def matches(entity: Entity, leaves: Sequence[Leaf]) -> list[Match]:
    """Which property each field of the entity is; a property is one field at most."""
    taken: set[str] = set()
    found: list[Match] = []
    flat = {leaf.path.rpartition(".")[0] for leaf in leaves if plain(leaf.name) in POSTAL}  # addresses without a name
    for name, words in FIELDS[entity].items():
        ranked = [
            (rank, leaf.path.count("."), leaf)
            for leaf in leaves
            for rank, word in enumerate(words.split())
            if word in _names(leaf, flat) and leaf.path not in taken
        ]
        if ranked:
            _, _, leaf = min(ranked, key=lambda one: one[:2])
            taken.add(leaf.path)
            found.append(Match(name, leaf, plain(leaf.name) == plain(name)))
    return found


def _names(leaf: Leaf, addresses: set[str]) -> set[str]:
    """What a property may be called: `customerId.id` is a customer's id; in an address `state` is the region."""
    above = plain(leaf.path.split(".")[-2]) if "." in leaf.path else ""
    own = plain(leaf.name)
    if own == "state" and leaf.path.rpartition(".")[0] in addresses:
        return {"region"}
    if own == "id" and above:
        return {above if above.endswith("id") else f"{above}id"}
    in_address = any(word in above for word in ("address", "location", "billing", "shipping"))
    if above and not in_address and own in ("name", "id", "type", "title", "status", "state", "description"):
        return set()  # those of something else
    return {own}


def expression(entity: Entity, match: Match, streams: Mapping[Entity, str]) -> str:
    """The right side in the field map."""
    leaf, kind = match.leaf, fields_of(entity)[match.field].kind
    path = quoted(leaf.path)
    if kind is Kind.LINK:
        return f'Link({path}, stream="{streams[_linked(match.field)]}")'
    number = leaf.type in ("integer", "number")
    if kind is Kind.CONSENT and (codes := _consents(leaf)):
        more = ", boolean=True" if leaf.type == "boolean" else ""
        return f"Codes({path}, {codes}{more})"
    if kind is Kind.TIME and number:
        return f"EpochMs({path})"
    if number:
        return f"Path({path}, number=True)"
    return f"Path({path}, boolean=True)" if leaf.type == "boolean" else path


def _linked(field: str) -> Entity:
    return {"account": Entity.ACCOUNT, "parent": Entity.ACCOUNT, "device": Entity.DEVICE}.get(field, Entity.CONTACT)


def can_be_mapped(entity: Entity, match: Match, streams: Mapping[Entity, str]) -> bool:
    """Whether a field can hold this: a link needs a stream to point into, a consent more than true and false."""
    kind = fields_of(entity)[match.field].kind
    if kind is Kind.LINK:
        return _linked(match.field) in streams
    return match.leaf.type != "boolean" or kind in (Kind.BOOLEAN, Kind.CONSENT)


def _consents(leaf: Leaf) -> str:
    """Codes that say yes or no, as a dict in Python."""
    native = ("true", "false") if leaf.type == "boolean" else leaf.enum
    pairs = [(n, "yes") for n in native if plain(n) in YES] + [(n, "no") for n in native if plain(n) in NO]
    return "{" + ", ".join(f'{quoted(code)}: "{says}"' for code, says in pairs) + "}" if pairs else ""


def size_of(parameter: Parameter | None) -> int:
    """How many records to ask for at once: as many as the document allows."""
    schema = parameter.schema if parameter else {}
    said = schema.get("maximum") or schema.get("default") or 100
    return int(said) if str(said).isdigit() and 0 < int(said) <= 1000 else 100


def rate_in(words: str) -> tuple[int, int] | None:
    """(calls, seconds) that a text allows.

    >>> rate_in("You may make 1,200 requests per minute."), rate_in("100 calls every 10 seconds"), rate_in("be kind")
    ((1200, 60), (100, 10), None)
    """
    found = RATE.search(words)
    if not found:
        return None
    calls = int(re.sub(r"\D", "", found[1]))
    return (calls, int(found[2] or 1) * SECONDS[found[3][0].lower()]) if calls else None


def reads_one(calls: Sequence[Call], path: str, method: str) -> Call | None:
    """The call for one record of the list at `path`: its address and one part more."""
    item = re.compile(re.escape(path.rstrip("/")) + r"/\{[^/]+\}/?$")
    own = next((c for c in calls if c.method == method and item.match(c.path)), None)
    if own:
        return own
    # /customers beside /customer/{customerId}
    *above, last = path.rstrip("/").split("/")
    one = re.compile(r"(/[^/]+)*/" + re.escape(singular(last)) + r"/\{[^/]+\}/?$") if singular(last) != last else None
    begins = "/".join(above[:2])
    return next(
        (c for c in calls if one and c.method == method and c.path.startswith(begins) and one.match(c.path)), None
    )
