"""After a sync the report is in every system, as its own people and its own software see it: once, and as it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import hubspot
import msgspec
import pyairtable
import pytest
import requests
import sqlalchemy as sa
from simple_salesforce.api import Salesforce

from omnihub.flow.delivering import deliver
from omnihub.model import Ref
from omnihub.sdk import open_client
from omnihub.sdk.reporting import Standing
from omnihub.store import schema
from tests.flow import loop
from tests.flow.conftest import Loop, Start
from tests.flow.test_delivering import JUNK, MANY, PETRA, WORSE

D, F = schema.deliveries, schema.findings
PLACES = {name: connector.place for name, connector in loop.CONNECTORS.items() if connector.place}
PREFIX = "omnihub-"

Shown = dict[str, bool]
"""Key of a notice → whether it is open. Each of these functions fails where one is there twice."""


def sync(here: Loop) -> dict[str, dict[str, Any]]:
    """As `omnihub sync` does it: everything, and then what is left for people, in every system."""
    hub = here.hub(told=frozenset(PLACES))
    run = here.sync().run
    counts = {system: deliver(hub, run.id, system) for system in PLACES}
    assert {system: one["error"] for system, one in counts.items() if one["error"]} == {}
    return counts


def once(pairs: list[tuple[str, bool]]) -> Shown:
    ours = [pair for pair in pairs if pair[0].startswith(PREFIX)]
    assert len(dict(ours)) == len(ours)
    return dict(ours)


def in_salesforce(here: Loop) -> Shown:
    settings = here.settings["salesforce"]
    login = {"grant_type": "client_credentials"} | {k: settings[k] for k in ("client_id", "client_secret")}
    token = requests.post(f"{settings['url']}/services/oauth2/token", data=login, timeout=10).json()["access_token"]
    session = requests.Session()
    org = Salesforce(instance_url=settings["url"], session_id=token, session=session)
    org.base_url = f"{settings['url']}/services/data/v64.0/"
    rows = org.query_all("SELECT Hub_Id__c, IsClosed FROM Task WHERE Hub_Id__c != null")["records"]
    return once([(row["Hub_Id__c"], not row["IsClosed"]) for row in rows])


def in_hubspot(here: Loop) -> Shown:
    settings = here.settings["hubspot"]
    sdk = hubspot.Client.create(access_token=settings["token"], host=settings["url"])
    wanted = ["hub_ext_id", "hs_task_status"]
    rows = [task.properties for task in sdk.crm.objects.get_all("tasks", properties=wanted)]
    return once([(row["hub_ext_id"] or "", row["hs_task_status"] != "COMPLETED") for row in rows])


def in_airtable(here: Loop) -> Shown:
    settings = here.settings["airtable"]
    sdk = pyairtable.Api(settings["token"], endpoint_url=settings["url"])
    rows = [row["fields"] for row in sdk.table(settings["base"], settings["findings_table"]).all()]
    return once([(row["Key"], row["Status"] == "Open") for row in rows])


def in_zendesk(here: Loop) -> Shown:
    """It has no software of its own for Python: as its documentation calls it."""
    settings = here.settings["zendesk"]
    auth = (f"{settings['email']}/token", settings["api_token"])
    found, url = [], f"{settings['url']}/api/v2/tickets.json?page[size]=100"
    while url:
        page = requests.get(url, auth=auth, timeout=10).json()
        found += page["tickets"]
        url = page["links"]["next"] if page["meta"]["has_more"] else ""
    return once([(t.get("external_id") or "", t["status"] not in ("solved", "closed")) for t in found])


def by_the_place(here: Loop, system: str) -> Shown:
    """As the connector reads them back: where there is no software of the vendor's for it."""
    place = PLACES[system]
    assert place
    assert place.read
    client = open_client(loop.CONNECTORS[system], here.settings[system])
    rows = loop.rows(here.store, sa.select(D.c.key, D.c.place_id).where(D.c.system == system))
    return once([(seen.key, seen.state is Standing.OPEN) for seen in place.read(client, [tuple(row) for row in rows])])


LOOKS: Mapping[str, Callable[[Loop], Shown]] = {
    "salesforce": in_salesforce,
    "hubspot": in_hubspot,
    "airtable": in_airtable,
    "zendesk": in_zendesk,
}


def shown(here: Loop) -> dict[str, Shown]:
    return {name: LOOKS[name](here) if name in LOOKS else by_the_place(here, name) for name in PLACES}


@pytest.mark.long
@pytest.mark.timeout(300)
def test_after_a_sync_every_system_shows_the_report_once_and_what_people_do_with_it_there_counts(begin: Start) -> None:
    here = begin("synced")
    people = here.everybody("contact", "phone", "salesforce", "hubspot")[:MANY]
    for one in people:
        for system in one:
            here.edit(one[system], phone=JUNK)
    here.dump()
    first = sync(here)
    assert sum(bool(counts["put"]) for counts in first.values()) >= len(PLACES) - 1, first
    there = shown(here)
    for system, counts in first.items():
        assert sum(there[system].values()) == counts["put"], system

    dump = here.dump()
    second = sync(here)
    assert {system: (c["put"], c["cleared"], c["closed"]) for system, c in second.items()} == dict.fromkeys(
        PLACES, (0, 0, 0)
    )
    assert here.dump() == dump

    junk = sa.select(F.c.ref).where(F.c.system == "salesforce", F.c.kind == "value_invalid", F.c.theirs == JUNK)
    mended, closed = [row.ref for row in loop.rows(here.store, junk.order_by(F.c.ref))][:2]
    keys = {row.about: row.key for row in loop.rows(here.store, sa.select(D.c.about, D.c.key))}
    task = task_of(here, closed)
    stand_in: Any = here.standin("salesforce")
    stand_in.edit_as(PETRA, "tasks", task, {"Status": "Completed"})
    here.edit(mended, phone="+49 30 901820")
    third = sync(here)["salesforce"]
    assert (third["cleared"], third["closed"]) == (1, 1)
    there = shown(here)
    assert (there["salesforce"][keys[mended]], there["salesforce"][keys[closed]]) == (False, False)
    assert standing(here, closed) == ("ignored", f"{PETRA} in Salesforce")
    sync(here)
    assert standing(here, closed) == ("ignored", f"{PETRA} in Salesforce")

    here.edit(closed, phone=WORSE)
    assert sync(here)["salesforce"]["put"] == 1
    assert standing(here, closed)[0] == "open"
    assert shown(here)["salesforce"][keys[closed]]


def task_of(here: Loop, ref: str) -> str:
    org: Salesforce = open_client(here.hub().connectors["salesforce"], here.settings["salesforce"])
    body = org.query(f"SELECT Id FROM Task WHERE WhoId = '{Ref.parse(ref).id}' AND Hub_Id__c != null")
    [row] = msgspec.json.decode(body)["records"]
    return str(row["Id"])


def standing(here: Loop, ref: str) -> tuple[str, str | None]:
    query = sa.select(F.c.state, F.c.decided_by).where(F.c.ref == ref, F.c.kind == "value_invalid")
    [row] = loop.rows(here.store, query)
    return row.state, row.decided_by


@pytest.mark.long
def test_a_report_costs_few_calls_and_one_that_is_the_same_hardly_any(begin: Start) -> None:
    here = begin("compared")
    fuse = loop.Fuse()
    found = {name: fuse.lay(connector) for name, connector in loop.CONNECTORS.items()}
    hub = loop.hub_over(here.store, here.settings, found, told=frozenset(PLACES))
    for turn in ("first", "second"):
        for system in PLACES:
            fuse.enter(f"{turn} {system}")
            counts = deliver(hub, turn, system)
            calls = fuse.tally[f"{turn} {system}", "call"]
            place = PLACES[system]
            assert place
            batches = -(-counts["put"] // place.batch) if turn == "first" else 1
            most = 5 + 2 * counts["put"] if system in ONE_BY_ONE else 5 + 10 * batches
            assert calls <= (most if turn == "first" else 5), (turn, system, calls, counts)


ONE_BY_ONE = ("zendesk", "portal", "thingsboard")  # these take one notice a call
