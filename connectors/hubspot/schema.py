"""What HubSpot's stand-in knows of each object type: its properties, what they may hold, and its links."""

from __future__ import annotations

from collections.abc import Mapping

FIRST_ID = {
    "companies": 21_000_000_000,
    "contacts": 51_000_000_000,
    "deals": 31_000_000_000,
    "line_items": 11_000_000_000,
    "products": 41_000_000_000,
    "campaign_offers": 61_000_000_000,
    "notes": 71_000_000_000,
    "tasks": 81_000_000_000,
}
ONE = {"companies": "company", "contacts": "contact", "deals": "deal", "line_items": "line_item"}
ONE |= {"products": "product", "campaign_offers": "campaign_offer", "notes": "note", "tasks": "task"}
TYPES = {alias: stream for stream, one in ONE.items() for alias in (stream, one)}
TYPE_IDS = {
    "contacts": "0-1",
    "companies": "0-2",
    "deals": "0-3",
    "line_items": "0-8",
    "products": "0-7",
    "campaign_offers": "2-4711001",
    "notes": "0-46",
    "tasks": "0-27",
}
TYPES |= {id_: stream for stream, id_ in TYPE_IDS.items()}
OFFERS_TYPE = "p_campaign_offers"  # the name by which an account's own object type is asked for
TYPES |= {OFFERS_TYPE: "campaign_offers"}

LINK_TYPES: dict[tuple[str, str], tuple[int, int | None]] = {
    ("contacts", "companies"): (279, 1),
    ("deals", "contacts"): (3, None),
    ("deals", "companies"): (341, 5),
    ("line_items", "deals"): (20, None),
    ("notes", "contacts"): (202, None),
    ("notes", "companies"): (190, None),
    ("notes", "deals"): (214, None),
    ("tasks", "contacts"): (204, None),
    ("tasks", "companies"): (192, None),
    ("tasks", "deals"): (216, None),
}
"""(from, to) → type id, and that of the primary one where there is one. Links are kept with their first object."""

_COMPANY = "name domain phone address zip city state country industry website description lifecyclestage"
_CONTACT = (
    "firstname lastname email phone mobilephone jobtitle date_of_birth hs_language company address zip city state "
    "country website lifecyclestage associatedcompanyid hs_additional_emails"
)
PROPERTIES: dict[str, str] = {
    "companies": f"{_COMPANY} customer_group vat_number hs_parent_company_id hs_merged_object_ids",
    "contacts": f"{_CONTACT} marketing_consent marketing_consent_at hs_merged_object_ids hs_calculated_merged_vids",
    "deals": "dealname amount deal_currency_code dealstage closedate pipeline description hs_merged_object_ids",
    "line_items": "name hs_sku quantity price amount hs_line_item_currency_code hs_product_id description",
    "products": "name hs_sku description price hs_price_eur hs_price_usd hs_status hs_merged_object_ids",
    "campaign_offers": "name code sku customer_group discount_percent price currency valid_from valid_to "
    "hs_merged_object_ids",
    "notes": "hs_note_body hs_timestamp hubspot_owner_id",
    "tasks": "hs_task_subject hs_task_body hs_task_status hs_task_priority hs_timestamp hubspot_owner_id "
    "hs_updated_by_user_id",
}
CUSTOM = frozenset({"customer_group", "vat_number", "marketing_consent", "marketing_consent_at", "hub_ext_id"})
DEFAULTS = {
    "companies": ("domain", "name"),
    "contacts": ("email", "firstname", "lastname"),
    "deals": ("amount", "closedate", "dealname", "dealstage", "pipeline"),
    "line_items": ("quantity", "amount"),
    "products": ("name", "description", "price"),
    "campaign_offers": ("name",),
    "notes": ("hs_note_body", "hs_timestamp"),
    "tasks": ("hs_task_subject", "hs_timestamp"),
}
UNIQUE = {"contacts": ("email", "hub_ext_id")}  # of the others only hub_ext_id
READ_ONLY = frozenset(
    {
        "hs_object_id",
        "hs_merged_object_ids",
        "hs_calculated_merged_vids",
        "hs_additional_emails",
        "hs_updated_by_user_id",
    }
)
NUMBERS = frozenset({"amount", "quantity", "price", "hs_price_eur", "hs_price_usd", "discount_percent"})
TIMES = frozenset({"closedate", "marketing_consent_at", "hs_timestamp", "valid_from", "valid_to"})
REQUIRED = {"notes": "hs_timestamp", "tasks": "hs_timestamp"}
OPTIONS: dict[str, tuple[str, ...]] = {
    "hs_task_status": ("NOT_STARTED", "IN_PROGRESS", "WAITING", "DEFERRED", "COMPLETED"),
    "hs_task_priority": ("LOW", "MEDIUM", "HIGH"),
    "marketing_consent": ("true", "false"),
    "customer_group": ("standard", "dealer", "key"),
    "hs_status": ("active", "inactive"),
    "dealstage": (
        *("appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "decisionmakerboughtin", "contractsent"),
        *("closedwon", "closedlost"),
    ),
    "hs_language": (
        *("bg", "cs", "da", "de", "de-at", "de-ch", "de-de", "el", "en", "en-gb", "en-us", "es", "et", "fi", "fr"),
        *("fr-be", "fr-ch", "fr-fr", "hr", "hu", "it", "it-ch", "ja", "ko", "lt", "lv", "nl", "nl-be", "no", "pl"),
        *("pt", "pt-br", "ro", "ru", "sk", "sl", "sr", "sv", "tr", "uk", "zh", "zh-cn"),
    ),
}
MAX_TEXT = 65_536  # characters of a text property

WORDS: dict[str, dict[str, str]] = {
    "companies": {
        "street": "address",
        "postal_code": "zip",
        "region": "state",
        "vat_id": "vat_number",
        "parent": "hs_parent_company_id",
    },
    "contacts": {
        "first_name": "firstname",
        "last_name": "lastname",
        "mobile": "mobilephone",
        "job_title": "jobtitle",
        "birth_date": "date_of_birth",
        "language": "hs_language",
        "street": "address",
        "postal_code": "zip",
        "region": "state",
        "account": "associatedcompanyid",
        "consent_at": "marketing_consent_at",
    },
    "deals": {"name": "dealname", "currency": "deal_currency_code", "stage": "dealstage", "closes_on": "closedate"},
    "line_items": {"sku": "hs_sku", "unit_price": "price", "currency": "hs_line_item_currency_code"},
    "products": {"sku": "hs_sku", "price": "hs_price_eur", "status": "hs_status"},
    "campaign_offers": {"discount": "discount_percent"},
}
"""Canonical field → property, where the two words differ."""

CODES: dict[str, dict[str, str]] = {
    "marketing_consent": {"yes": "true", "no": "false"},
    "status": {"active": "active", "discontinued": "inactive", "draft": "inactive"},
    "stage": {"open": "appointmentscheduled", "quoted": "contractsent", "won": "closedwon", "lost": "closedlost"},
}


class Refused(Exception):
    """What HubSpot says no to, on its way out of a handler."""

    def __init__(
        self, status: int, category: str, message: str, context: Mapping[str, list[str]] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.category, self.message, self.context = status, category, message, context or {}


def time_of(stream: str) -> str:
    return "lastmodifieddate" if stream == "contacts" else "hs_lastmodifieddate"


def created_of(stream: str) -> str:
    return "hs_createdate" if stream in ("notes", "tasks", "campaign_offers") else "createdate"
