"""How records are looked at before they are written: read out of what was landed where nothing has changed since."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.flow import Hub, refine_system
from omnihub.flow.pushing import reader
from omnihub.land import land
from omnihub.model import Entity
from omnihub.sdk import Connector, Exchange, FullName, Page, Stream, Want, records
from omnihub.store import Store, bulk, schema

MAP = {"city": "city", "phone": "tel", "country": "land"}
NAMED = MAP | {"first_name": FullName("full", "first"), "last_name": FullName("full", "last")}
ANA = {"id": 1, "city": "Bonn", "tel": "0228 1234567", "land": "DE", "full": "Ana van Dyk"}
REF = "vault/people/1"


def page(*people: Mapping[str, Any]) -> Page:
    body = json.dumps(list(people)).encode()
    return Page(Exchange("GET", "https://vault.test/people", 200, datetime.now(UTC)), records(body), complete=True)


@dataclass
class Vault:
    """A system that shows what it is told to, and a hub that knows it."""

    hub: Hub
    connector: Connector

    def look(self, *people: Mapping[str, Any], map_: Mapping[str, Any] | None = None) -> dict[str, Mapping[str, str]]:
        [stream] = self.connector.streams
        stream = replace(stream, map=map_) if map_ else stream
        return {id_: p.fields for id_, p in reader(self.hub, self.connector, stream)([page(*people)]).items()}

    def mark(self) -> None:
        """What is read out of what was landed is known by this."""
        with self.hub.store.write() as c:
            c.execute(sa.update(schema.refined).values(fields='{"city": "as landed"}'))

    def note(self, field: str, intended: str) -> None:
        """As an apply does before it writes."""
        with self.hub.store.write() as c:
            bulk.upsert(
                c, schema.sent, ("ref", "field", "intended", "plan_id", "at"), [(REF, field, intended, "plan", "now")]
            )


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    yield from _vault(tmp_path, MAP)


@pytest.fixture
def named(tmp_path: Path) -> Iterator[Vault]:
    """Keeps names as one text."""
    yield from _vault(tmp_path, NAMED)


def _vault(folder: Path, map_: Mapping[str, Any]) -> Iterator[Vault]:
    def pull(client: object, want: Want) -> Iterator[Page]:
        yield page(ANA)

    connector = Connector("vault", "Vault", "CRM", (Stream("people", Entity.CONTACT, map_, pull),), open=lambda _: None)
    store = Store.open(f"sqlite:///{folder / 'hub.db'}")
    hub = Hub(store, {"vault": connector}, lambda _: {})
    land(store, connector, {}, run_id="run")
    refine_system(hub, "vault")
    yield Vault(hub, connector)
    store.close()


def test_a_record_that_is_as_it_was_landed_is_not_read_again(vault: Vault) -> None:
    assert vault.look(ANA)["1"] == {"city": "Bonn", "phone": "+492281234567", "country": "DE"}
    vault.mark()
    assert vault.look(ANA)["1"] == {"city": "as landed"}


def test_a_record_that_was_never_landed_is_read_beside_one_that_was(vault: Vault) -> None:
    vault.mark()
    found = vault.look(ANA, ANA | {"id": 2, "city": "Köln"})
    assert (found["1"]["city"], found["2"]["city"]) == ("as landed", "Köln")


def test_a_record_somebody_changed_is_read_as_it_is_now(vault: Vault) -> None:
    vault.mark()
    assert vault.look(ANA | {"city": "Köln"})["1"]["city"] == "Köln"


def test_a_record_is_read_anew_by_another_field_map(vault: Vault) -> None:
    vault.mark()
    assert vault.look(ANA, map_=MAP | {"city": "full"})["1"]["city"] == "Ana van Dyk"


def test_a_record_whose_latest_version_is_not_refined_yet_is_read(vault: Vault) -> None:
    later = ANA | {"city": "Köln"}

    def pull(client: object, want: Want) -> Iterator[Page]:
        yield page(later)

    vault.mark()
    [stream] = vault.connector.streams
    land(vault.hub.store, replace(vault.connector, streams=(replace(stream, pull=pull),)), {}, run_id="run")
    assert vault.look(later)["1"]["city"] == "Köln"


def test_a_newer_version_that_says_the_same_need_not_be_read_again(vault: Vault) -> None:
    seen = ANA | {"seen": True}  # nobody mapped that

    def pull(client: object, want: Want) -> Iterator[Page]:
        yield page(seen)

    [stream] = vault.connector.streams
    land(vault.hub.store, replace(vault.connector, streams=(replace(stream, pull=pull),)), {}, run_id="run")
    refine_system(vault.hub, "vault")
    vault.mark()
    assert vault.look(seen)["1"] == {"city": "as landed"}


def test_while_a_stream_is_refined_anew_what_was_refined_before_is_not_believed(vault: Vault) -> None:
    vault.mark()
    with vault.hub.store.write() as c:
        c.execute(sa.update(schema.watermarks).where(schema.watermarks.c.step == "refine").values(seq=0))
    assert vault.look(ANA)["1"]["city"] == "Bonn"


def test_a_name_kept_as_one_text_is_cut_where_we_meant_to_cut_it(named: Vault) -> None:
    assert named.look(ANA)["1"]["last_name"] == "van Dyk"
    named.note("first_name", "Ana van")
    named.note("last_name", "Dyk")
    found = named.look(ANA)["1"]
    assert (found["first_name"], found["last_name"]) == ("Ana van", "Dyk")


def test_what_we_wrote_elsewhere_in_the_record_leaves_its_reading_alone(vault: Vault) -> None:
    vault.note("city", "Köln")
    assert vault.look(ANA | {"city": "Köln"})["1"] == {"city": "Köln", "phone": "+492281234567", "country": "DE"}
