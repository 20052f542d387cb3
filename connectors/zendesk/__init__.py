"""Zendesk Support: organizations, users and tickets; names, phones and languages are written back.

    first and complete    organizations, users   the lists: 100 a page, every living record up to this second
                          tickets                the export from the beginning (the list leaves archived ones out), then
                                                 the newest from the list, because the export hides its last minute
    after that            all                    the incremental exports: 1,000 a page, deletions among the rest

exporting   reads them so, leaves repetitions out, and finds out who won a merge
naming      custom fields of tickets by their titles: an order with what was told of it, a promised price
writing     users and organizations: one a call, or many as a background job; made by their external id
erasing     users deleted, and deleted for good
tickets     safe updates, and tickets made once: for reports, not for plans
notices     the hub's findings, as tickets among the agents
"""

from __future__ import annotations

from datetime import timedelta

from connectors.zendesk.erasing import BY_HAND, erase
from connectors.zendesk.exporting import Changes
from connectors.zendesk.naming import Naming
from connectors.zendesk.notices import is_ours, place
from connectors.zendesk.writing import writing
from omnihub.sdk import After, Basic, Codes, Connector, Entity, FullName, Limit, Link, OneWay, Setting, Stream

LANGUAGES = ("de", "fr", "it", "es", "nl", "pl", "da", "sv", "no", "fi", "cs", "hu", "tr", "ja", "ko", "ru", "pt")
LOCALES = {"en-US": "en", "en-GB": "en", "en-AU": "en", "en-CA": "en", **{code: code for code in LANGUAGES}} | {
    "de-AT": "de", "de-CH": "de", "fr-FR": "fr", "fr-CA": "fr", "es-ES": "es", "es-419": "es", "nl-BE": "nl",
    "pt-BR": "pt", "zh-CN": "zh", "zh-TW": "zh",
}  # fmt: skip
PERSON = ("first_name", "last_name", "phone", "language")
STATUS = {"hold": "pending", "deleted": "closed"}
# What a drop-down field holds is the tag of the choice, and tags are one for the whole account.
ORDER_STATUS = {f"order_{state}": state for state in ("open", "shipped", "delivered", "cancelled")}
CHANNELS = {"voice": "phone", "native_messaging": "chat", "messaging": "chat", "web_form": "web", "help_center": "web"}
SATISFACTION = {"good_with_comment": "good", "bad_with_comment": "bad", "offered": "unoffered"}

connector = Connector(
    name="zendesk",
    title="Zendesk",
    role="ticketing",
    place=place,
    settings=(
        Setting("url", "the account's address, as in https://acme.zendesk.com"),
        Setting("email", "the administrator the token acts for"),
        Setting("api_token", "Admin Center → Apps and integrations → API tokens", secret=True),
    ),
    auth=Basic("{email}/token", "api_token"),
    limits=(
        # With the High Volume API add-on: 2,500 a minute and 30 exports. Other plans have 200 to 700, which the answers
        # tell, and 10, which Zendesk then enforces by 429 and Retry-After.
        Limit(2400, per_s=60, left="X-Rate-Limit-Remaining", resets="ratelimit-reset"),
        Limit(29, per_s=60, path="/incremental/"),
        Limit(690, per_s=600, path="/deleted_users/"),  # 700 users in ten minutes are deleted for good, not more
    ),
    streams=(
        Stream(
            "organizations",
            Entity.ACCOUNT,
            map={
                "name": "name",
                "domain": "domain_names.0",
                "customer_group": "organization_fields.customer_group",
            },
            pull=Changes(
                "organizations", "deleted_at", by_cursor=False, merges="/api/v2/organizations/{id}/merges.json"
            ),
            updated="updated_at",
            blind="the export of organizations does not show deleted ones, nor a merge that left its winner untouched",
            full_every=timedelta(days=1),
            push=writing(
                "organizations", "domain", deleted="deleted_at", given=("name",), required=("name",), domain=253
            ),
        ),
        Stream(
            "users",
            Entity.CONTACT,
            map={
                "first_name": FullName("name", "first"),
                "last_name": FullName("name", "last"),
                "email": "email",
                "phone": "phone",
                "language": Codes("locale", codes=LOCALES),
                "account": Link("organization_id", stream="organizations"),
                "marketing_consent": Codes(
                    "user_fields.marketing_consent", codes={"true": "yes", "false": "no"}, boolean=True
                ),
            },
            pull=Changes("users", deleted="active=false"),
            updated="updated_at",
            blind="into whom a user was merged; deleted users, where an account's export leaves them out",
            full_every=timedelta(days=7),
            push=writing(
                "users",
                *PERSON,
                deleted="active=false",
                given=("email", "account"),
                required=("last_name", "email"),
                erase=erase,
                erase_by_hand=BY_HAND,
                first_name=127,
                last_name=127,
            ),
        ),
        Stream(
            "tickets",
            Entity.TICKET,
            map={
                "subject": "subject",
                "contact": Link("requester_id", stream="users"),
                "account": Link("organization_id", stream="organizations"),
                "status": Codes("status", codes=STATUS),
                "channel": Codes("via.channel", codes=CHANNELS),
                "order": OneWay("order.number"),
                "order_status": Codes("order.status", codes=ORDER_STATUS),
                "sku": OneWay("promise.sku"),
                "quantity": OneWay("promise.quantity"),
                "promised_price": OneWay("promise.price"),
                "currency": OneWay("promise.currency"),
                "opened_at": OneWay("created_at"),
                # The first public reply of an agent, by the clock and not by business hours: standards are promised so.
                "answered_at": After("metric_set.reply_time_in_minutes.calendar", "created_at"),
                "solved_at": OneWay("metric_set.solved_at"),
                "satisfaction": Codes("satisfaction_rating.score", codes=SATISFACTION),
            },
            pull=Changes(
                "tickets",
                "status=deleted",
                listed=False,
                include="metric_sets",
                stamp="generated_timestamp",
                without=is_ours,
                named=Naming,
            ),
            updated="updated_at",
            blind="times of answers and solutions that Zendesk works out later, without another change of the ticket",
            full_every=timedelta(days=7),
        ),
    ),
)
