"""What records are about, and the canonical fields of each: the words every system is translated into.

A canonical value is text in one agreed form per kind (the modules of `omnihub.fields` make it), so that it is
the same on every store, in every engine, and when a person reads it:

    skus OM-1, OM-2    several, in order
    money 1234.50 · quantity 3 · percent 12.5     plain decimal, no thousands sign
    time 2026-11-21T22:18:46Z · date 2026-11-21   aware, always UTC
    boolean true | false                          consent yes | no
    country DE · currency EUR · language de       ISO codes
    link salesforce/accounts/001A                 the ref of another record of the same system
    links shop/customers/1;shop/customers/2       several of them
    weight 12.4 · file pump.jpg · several a;b     kilograms · its name alone · each once, in alphabetical order
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Entity(StrEnum):
    """What a record is about."""

    ACCOUNT = "account"
    CONTACT = "contact"
    PRODUCT = "product"
    PRICE = "price"
    PROMOTION = "promotion"
    DEAL = "deal"
    CART = "cart"
    ORDER = "order"
    LINE = "line"
    TICKET = "ticket"
    DEVICE = "device"
    INTERACTION = "interaction"
    CONSENT = "consent"
    FEEDBACK = "feedback"
    CHANNEL = "channel"
    STANDARD = "standard"
    STOCK = "stock"


class Kind(StrEnum):
    """What sort of value a field holds; it decides how it is cleaned and compared."""

    TEXT = "text"
    NAME = "name"
    COMPANY = "company"
    EMAIL = "email"
    PHONE = "phone"
    DOMAIN = "domain"
    ADDRESS = "address"
    POSTAL = "postal"
    CITY = "city"
    COUNTRY = "country"
    VAT = "vat"
    SKU = "sku"
    SKUS = "skus"
    GTIN = "gtin"
    MONEY = "money"
    QUANTITY = "quantity"
    PERCENT = "percent"
    CURRENCY = "currency"
    LANGUAGE = "language"
    DATE = "date"
    TIME = "time"
    BOOLEAN = "boolean"
    CONSENT = "consent"
    CODE = "code"
    LINK = "link"
    LINKS = "links"
    WEIGHT = "weight"
    FILE = "file"
    SEVERAL = "several"


@dataclass(frozen=True)
class Field:
    """One canonical field. Fields of one `group` are taken from one record together (an address never mixes)."""

    name: str
    kind: Kind
    group: str = ""


def _fields(**kinds: Kind | tuple[Kind, str]) -> dict[str, Field]:
    return {name: Field(name, *kind) if isinstance(kind, tuple) else Field(name, kind) for name, kind in kinds.items()}


_ADDRESS = {
    "street": (Kind.ADDRESS, "address"),
    "postal_code": (Kind.POSTAL, "address"),
    "city": (Kind.CITY, "address"),
    "region": (Kind.TEXT, "address"),
    "country": (Kind.COUNTRY, "address"),
}

ENTITIES: dict[Entity, dict[str, Field]] = {
    Entity.ACCOUNT: _fields(
        name=Kind.COMPANY,
        vat_id=Kind.VAT,
        registry_id=Kind.CODE,  # in a register: of companies, D-U-N-S, an organisation's number
        domain=Kind.DOMAIN,
        phone=Kind.PHONE,
        email=Kind.EMAIL,
        **_ADDRESS,
        parent=Kind.LINK,
        industry=Kind.TEXT,
        customer_group=Kind.CODE,
        status=Kind.CODE,
    ),
    Entity.CONTACT: _fields(
        first_name=(Kind.NAME, "name"),
        last_name=(Kind.NAME, "name"),
        birth_date=Kind.DATE,
        birth_place=Kind.CITY,
        gender=Kind.CODE,
        id_number=Kind.CODE,  # a person's own number, as a passport's or a social security number
        email=Kind.EMAIL,
        phone=Kind.PHONE,
        mobile=Kind.PHONE,
        job_title=Kind.TEXT,
        language=Kind.LANGUAGE,
        company=Kind.COMPANY,
        **_ADDRESS,
        account=Kind.LINK,
        marketing_consent=(Kind.CONSENT, "consent"),
        consent_at=(Kind.TIME, "consent"),
    ),
    Entity.PRODUCT: _fields(
        sku=Kind.SKU,
        gtin=Kind.GTIN,
        mpn=Kind.SKU,  # the manufacturer's own number
        manufacturer=Kind.COMPANY,
        name=Kind.TEXT,
        description=Kind.TEXT,
        unit=Kind.CODE,
        category=Kind.TEXT,
        status=Kind.CODE,
        price=Kind.MONEY,
        currency=Kind.CURRENCY,
        tax_included=Kind.BOOLEAN,  # in the price
        tax_rate=Kind.PERCENT,
        taxable=Kind.BOOLEAN,
        tax_class=Kind.CODE,
        weight=Kind.WEIGHT,
        image=Kind.FILE,
        sold_in=Kind.SEVERAL,  # the channels that offer it, by what the master calls them
    ),
    Entity.PRICE: _fields(
        sku=Kind.SKU,
        price_list=Kind.CODE,
        customer_group=Kind.CODE,
        currency=Kind.CURRENCY,
        amount=Kind.MONEY,
        unit=Kind.CODE,
        min_quantity=Kind.QUANTITY,
        tax_included=Kind.BOOLEAN,
        tax_rate=Kind.PERCENT,
        tolerance=Kind.MONEY,  # how far from it a price may be; a cent if not told
        rounding=Kind.MONEY,  # the step a price may be rounded to
        valid_from=Kind.DATE,
        valid_to=Kind.DATE,
    ),
    Entity.PROMOTION: _fields(
        code=Kind.CODE,
        name=Kind.TEXT,
        sku=Kind.SKU,
        skus=Kind.SKUS,  # where one record names all the products
        all_products=Kind.BOOLEAN,
        customer_group=Kind.CODE,
        customer_groups=Kind.SEVERAL,  # where one record names all of them
        all_customers=Kind.BOOLEAN,
        account=Kind.LINK,  # the one customer it is made to
        contacts=Kind.LINKS,  # the people it is made to
        gives=Kind.CODE,  # discount, goods (as in "buy two, get one"), shipping, or what only an app can tell: app
        discount=Kind.PERCENT,
        discount_amount=Kind.MONEY,  # so much off, instead of a percentage
        discount_on=Kind.CODE,  # where the amount goes off: each piece, or the order
        price=Kind.MONEY,  # what one piece costs with it
        currency=Kind.CURRENCY,
        valid_from=Kind.DATE,  # the last day is one of its days
        valid_to=Kind.DATE,
        starts_at=Kind.TIME,  # where a system says moments and not days
        ends_at=Kind.TIME,
    ),
    Entity.DEAL: _fields(
        name=Kind.TEXT,
        account=Kind.LINK,
        contact=Kind.LINK,
        amount=Kind.MONEY,
        currency=Kind.CURRENCY,
        stage=Kind.CODE,
        closes_on=Kind.DATE,
    ),
    Entity.CART: _fields(
        name=Kind.TEXT,
        account=Kind.LINK,
        contact=Kind.LINK,
        changed_at=Kind.TIME,
        ordered_at=Kind.TIME,  # when it became an order; of one that is still open, nothing
        currency=Kind.CURRENCY,
        total=Kind.MONEY,
        tax_included=Kind.BOOLEAN,  # in the prices of its lines
        tax_rate=Kind.PERCENT,
    ),
    Entity.ORDER: _fields(
        number=Kind.CODE,
        account=Kind.LINK,
        contact=Kind.LINK,
        ordered_at=Kind.TIME,
        status=Kind.CODE,
        currency=Kind.CURRENCY,
        total=Kind.MONEY,
        tax_included=Kind.BOOLEAN,  # in the prices of its lines
        tax_rate=Kind.PERCENT,
        stock_point=Kind.TEXT,
        delivery_point=Kind.TEXT,
        transport_mode=Kind.CODE,
        tracking=Kind.CODE,
        delivered_at=Kind.TIME,
    ),
    Entity.LINE: _fields(
        of=Kind.LINK,
        sku=Kind.SKU,
        name=Kind.TEXT,
        quantity=Kind.QUANTITY,
        unit=Kind.CODE,
        unit_price=Kind.MONEY,
        currency=Kind.CURRENCY,
        tax_included=Kind.BOOLEAN,
        tax_rate=Kind.PERCENT,
    ),
    Entity.TICKET: _fields(
        subject=Kind.TEXT,
        contact=Kind.LINK,
        account=Kind.LINK,
        status=Kind.CODE,
        channel=Kind.CODE,
        order=Kind.CODE,  # the number of the order it is about
        order_status=Kind.CODE,  # what the customer was told of it
        sku=Kind.SKU,  # what a price was promised for, and how many
        quantity=Kind.QUANTITY,
        promised_price=Kind.MONEY,  # of one piece
        currency=Kind.CURRENCY,
        opened_at=Kind.TIME,
        answered_at=Kind.TIME,
        solved_at=Kind.TIME,
        satisfaction=Kind.CODE,
    ),
    Entity.DEVICE: _fields(
        serial=Kind.CODE,
        sku=Kind.SKU,
        name=Kind.TEXT,
        account=Kind.LINK,
        installed_on=Kind.DATE,
        status=Kind.CODE,
    ),
    Entity.INTERACTION: _fields(
        kind=Kind.CODE,
        at=Kind.TIME,
        contact=Kind.LINK,
        account=Kind.LINK,
        device=Kind.LINK,
        channel=Kind.CODE,
        detail=Kind.TEXT,
    ),
    Entity.CONSENT: _fields(contact=Kind.LINK, purpose=Kind.CODE, state=Kind.CONSENT, at=Kind.TIME),
    Entity.FEEDBACK: _fields(contact=Kind.LINK, at=Kind.TIME, score=Kind.QUANTITY, detail=Kind.TEXT),
    Entity.CHANNEL: _fields(name=Kind.TEXT, system=Kind.CODE, owner=Kind.TEXT),  # of the master's own table of them
    Entity.STANDARD: _fields(  # how soon a channel is to answer and to solve, in hours
        channel=Kind.CODE,
        first_answer_hours=Kind.QUANTITY,
        solution_hours=Kind.QUANTITY,
        valid_from=Kind.DATE,
    ),
    Entity.STOCK: _fields(sku=Kind.SKU, stock_point=Kind.TEXT, quantity=Kind.QUANTITY),
}

GOLDEN: tuple[Entity, ...] = (Entity.ACCOUNT, Entity.CONTACT, Entity.PRODUCT)
"""The entities that get a golden record; the others hang on one by their links."""


def fields_of(entity: Entity) -> dict[str, Field]:
    """The canonical fields of an entity, by name."""
    return ENTITIES[entity]
