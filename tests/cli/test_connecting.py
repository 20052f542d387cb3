"""Connecting a system from the command line: what there is, a first draft, and what a real system said."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

import connectors
from connectors.portal.sandbox import standin as Portal
from omnihub.cli.drafting import Draft, draft
from omnihub.cli.openapi import Document, read
from omnihub.model import Op, Outcome
from omnihub.sandbox.copies import Copy
from omnihub.sandbox.derived import derive
from omnihub.sandbox.kit import Running
from omnihub.sandbox.replay import replayed
from omnihub.sdk import Connector, Row, Want, open_client
from omnihub.sdk.checked import troubles
from tests.cli.conftest import ROOT, omnihub

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PORTAL = ROOT / "connectors" / "portal" / "openapi.yaml"
CONTRACTS = Path(os.environ.get("OMNIHUB_CONTRACTS", ROOT / ".." / "shared" / "contracts"))

# An API nobody here has seen: pages by offset, a filter for changes, a nested address, PATCH to write
KONTOR = """\
openapi: 3.0.3
info: {title: Kontor, version: "3", description: You may make 240 requests per minute.}
servers: [{url: https://api.kontor.example/3}]
security: [{key: []}]
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-Kontor-Key}}
  schemas:
    Address: {type: object, properties: {line1: {type: string}, zip: {type: string}, town: {type: string},
                                         countryCode: {type: string}}}
    Changes: {type: object, properties: {legalName: {type: string}, telephone: {type: string},
                                         address: {$ref: "#/components/schemas/Address"}}}
    Partner:
      allOf: [{$ref: "#/components/schemas/Changes"}]
      properties: {partnerNumber: {type: string}, modified: {type: string, format: date-time, readOnly: true},
                   rating: {type: integer}}
    Person: {type: object, properties: {id: {type: integer}, fullName: {type: string}, mail: {type: string},
                                        newsletter: {type: boolean}, partnerId: {type: string}}}
paths:
  /partners:
    get:
      parameters:
        - {name: skip, in: query, schema: {type: integer}}
        - {name: take, in: query, schema: {type: integer, maximum: 50}}
        - {name: modifiedAfter, in: query, schema: {type: string, format: date-time}}
      responses: {"200": {description: ok, content: {application/json: {schema: {type: object, properties: {
        total: {type: integer}, entries: {type: array, items: {$ref: "#/components/schemas/Partner"}}}}}}}}
  /partners/{number}:
    get: {responses: {"200": {description: ok, content: {application/json: {schema: {
      $ref: "#/components/schemas/Partner"}}}}}}
    patch:
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Changes"}}}}
      responses: {"204": {description: done}}
  /people:
    get:
      responses: {"200": {description: ok, content: {application/json: {schema: {
        type: array, items: {$ref: "#/components/schemas/Person"}}}}}}
  /people/{id}:
    get: {responses: {"200": {description: ok, content: {application/json: {schema: {
      type: object, properties: {person: {$ref: "#/components/schemas/Person"}}}}}}}}
  /weather:
    get: {responses: {"200": {description: ok, content: {application/json: {schema: {
      type: array, items: {type: object, properties: {sun: {type: boolean}}}}}}}}}
"""


@pytest.fixture
def place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second folder of connectors, which the hub finds as it finds its own."""
    there = folder / "connectors"
    there.mkdir()
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(there)])
    yield there
    for name in [name for name in sys.modules if name.startswith("connectors.kontor")]:
        del sys.modules[name]


@pytest.fixture
def kontor(folder: Path) -> Path:
    """The document of the API nobody has seen."""
    file = folder / "kontor.yaml"
    file.write_text(KONTOR)
    return file


def found(name: str) -> Connector:
    importlib.invalidate_caches()
    return connectors.find()[name]


def made(drafted: Draft) -> Connector:
    """A draft, loaded."""
    names: dict[str, Any] = {}
    exec(compile(drafted.text, "draft.py", "exec"), names)
    connector = names["connector"]
    assert isinstance(connector, Connector)
    assert troubles(connector) == []
    return connector


# -- connectors ------------------------------------------------------------------------------------------------------


def test_every_connector_says_what_it_reads_writes_and_sees(folder: Path) -> None:
    facts = {one["name"]: one for one in omnihub("connectors", "--json").facts}
    assert facts.keys() == connectors.find().keys()
    portal = facts["portal"]
    assert (portal["stand_in"], portal["from"], portal["limits"]) == (
        "hand-written",
        "built in",
        ["580 calls per 60 s"],
    )
    [accounts, _, logins, *_] = portal["streams"]
    assert (accounts["cursor"], accounts["deleted"], accounts["batch"]) == ("the system's own", "by deleted_at", 200)
    assert "phone" in accounts["writes"]
    assert logins["writes"] == []
    salesforce = facts["salesforce"]["streams"][0]
    assert salesforce["full_every_hours"] == 24
    assert salesforce["deleted"] == "by a complete pass every 24 h"
    assert "deleted for good" in salesforce["blind"]


def test_a_system_of_the_settings_is_among_them(folder: Path) -> None:
    streams = 'streams: {people: {files: "*.csv", entity: contact, key: Id, map: {email: Mail}}}'
    (folder / "omnihub.yaml").write_text(f"systems: {{partners: {{connector: files, url: ., {streams}}}}}\n")
    said = omnihub("connectors", "partners")
    assert "omnihub.yaml · stand-in: none" in said.out
    assert "people" in said.out


def test_an_unknown_one_is_a_matter_of_usage(folder: Path) -> None:
    said = omnihub("connectors", "hubspto")
    assert said.code == 2
    assert "hubspot" in said.err


# -- new-connector ---------------------------------------------------------------------------------------------------


def test_a_draft_says_what_the_document_says_and_marks_the_rest(place: Path, kontor: Path) -> None:
    said = omnihub("new-connector", "kontor", "--openapi", str(kontor), "--to", str(place))
    assert said.code == 0, said.err
    text = (place / "kontor.py").read_text()
    for line in (
        'pull=Pages("/partners", items="entries",',
        'next=Offset("skip", 50, limit="take", total="total"),  # guess: by their names',
        'since={"modifiedAfter": "{since}"},  # guess',
        'key="partnerNumber", updated="modified"',
        '"name": "legalName",  # guess: by its name',
        '"postal_code": "address.zip",  # guess',
        'update=Send1("PATCH", "/partners/{id}"),',
        '"first_name": FullName("fullName", "first"),  # guess',
        '"marketing_consent": Codes("newsletter", {"true": "yes", "false": "no"}, boolean=True),',
        "# todo: nothing is written: the document has no PATCH or PUT for one of them",
        'auth=Header("X-Kontor-Key", "token"),',
        "Limit(240, per_s=60),  # guess",
        '"account": Link("partnerId", stream="partners"),  # guess',
        "as in https://api.kontor.example/3",
    ):
        assert line in text, text
    assert "weather" not in text
    assert "not mapped: fullName" not in text
    assert f"{text.count('# guess:')} guesses and {text.count('# todo:')} things to do" in " ".join(said.out.split())


def test_a_draft_reads_and_writes_at_once(place: Path, kontor: Path) -> None:
    assert omnihub("new-connector", "kontor", "--openapi", str(kontor), "--to", str(place)).code == 0
    connector = found("kontor")
    partners = connector.stream("partners")
    assert partners.push
    assert partners.push.fields == ("name", "phone", "street", "postal_code", "city", "country")
    standin = derive(connector)(now=lambda: NOW)
    standin.seed_samples(120)
    with Running([standin]) as running:
        client = open_client(connector, {"url": running.urls["kontor"], **standin.credentials})
        assert partners.pull
        pages = [*partners.pull(client, Want(since=None, complete=True, now=NOW))]
        assert len({r.id for page in pages for r in page.records}) == 120
        id_, body = str(pages[0].records[0].id), partners.fields.body({"city": "Ulm"})
        row = Row(n=0, op=Op.UPDATE, id=id_, body=body, fields={}, before={}, key="g")
        assert [a.outcome for a in partners.push.update(client, [row])] == [Outcome.WRITTEN]
        [page] = partners.push.look(client, [id_])
        assert b'"town":"Ulm"' in page.records[0].raw


def test_a_draft_can_be_tested_with_nothing_added(place: Path, kontor: Path) -> None:
    assert omnihub("new-connector", "kontor", "--openapi", str(kontor), "--to", str(place)).code == 0
    importlib.invalidate_caches()
    rules = ["--rule", "all of it", "--rule", "as written"]
    said = omnihub("test-connector", "kontor", *rules, "--json")
    assert [(v["state"], v["why"]) for v in said.facts["kontor"]] == [("kept", ""), ("kept", "")]


def test_without_a_document_it_is_a_skeleton_that_loads(place: Path) -> None:
    assert omnihub("new-connector", "kontor", "--to", str(place)).code == 0
    assert found("kontor").title == "Kontor"
    text = (place / "kontor.py").read_text()
    assert text.count("# todo:") > 5
    assert len([line for line in text.splitlines() if line.strip()]) <= 30


@pytest.mark.parametrize("there", ["kontor.py", "kontor/__init__.py"])
def test_nothing_is_overwritten(place: Path, there: str) -> None:
    (place / there).parent.mkdir(exist_ok=True)
    (place / there).write_text("mine")
    said = omnihub("new-connector", "kontor", "--to", str(place))
    assert (said.code, (place / there).read_text()) == (1, "mine")
    assert "is there already" in said.err


@pytest.mark.parametrize("name", ["Kontor", "kontor-3", "3kontor", "class"])
def test_a_name_that_is_none_is_refused(place: Path, name: str) -> None:
    assert omnihub("new-connector", name, "--to", str(place)).code == 2
    assert [*place.iterdir()] == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('swagger: "2.0"', "no OpenAPI 3 document (it says 2.0)"),
        ("a: [", "neither JSON nor YAML"),
        ("- 1", "no OpenAPI"),
    ],
)
def test_what_is_no_document_is_said(place: Path, kontor: Path, text: str, says: str) -> None:
    kontor.write_text(text)
    said = omnihub("new-connector", "kontor", "--openapi", str(kontor), "--to", str(place))
    assert said.code == 1
    assert says in said.err
    assert [*place.iterdir()] == []


def test_a_document_cannot_write_code_of_its_own() -> None:
    code, name = 'x"""\nraise SystemExit("theirs")\n"""', 'legal"""\n\\"\\\'Name'
    said = json.loads(json.dumps(yaml.safe_load(KONTOR)).replace("legalName", json.dumps(name)[1:-1]))
    said["info"]["title"] = code[:30]
    said["paths"][f"/{code}/partners"] = said["paths"].pop("/partners")
    said["components"]["securitySchemes"]["key"]["name"] = code
    said["components"]["schemas"]["Partner"]["properties"]["status"] = {"type": "string", "enum": [code]}
    partners = made(draft("kontor", Document(said))).stream("partners")
    assert (partners.map["name"], partners.map["status"]) == (name, "status")


def test_the_portals_own_document_makes_nearly_the_portals_connector() -> None:
    connector, ours = made(draft("portal", read(str(PORTAL)))), connectors.find()["portal"]
    assert connector.auth == ours.auth
    assert [s.name for s in connector.streams] == [*(s.name for s in ours.streams), "consents"]
    for name in ("accounts", "users", "logins"):
        drafted, own = connector.stream(name), ours.stream(name)
        assert (drafted.entity, drafted.updated) == (own.entity, own.updated)
        missed = {field for field in own.map if field not in drafted.map}
        assert missed <= {"marketing_consent", "consent_at", "kind"}, missed
        assert {f: w for f, w in drafted.map.items() if f in own.map} == {f: own.map[f] for f in drafted.map}
    assert connector.stream("users").push.fields[:3] == ("first_name", "last_name", "phone")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("file", "streams", "auth"),
    [
        ("thingsboard/thingsboard-4.3-subset.strict.json", {"devices", "customers", "alarms"}, "LoginToken"),
        pytest.param(
            "zendesk/support-subset.strict.yaml",
            {"organizations", "users", "tickets", "satisfaction_ratings"},
            "Basic",
            marks=pytest.mark.long,
        ),
    ],
)
def test_vendors_documents_make_drafts_that_load(file: str, streams: set[str], auth: str) -> None:
    if not (CONTRACTS / file).is_file():
        pytest.skip("contracts not found")
    connector = made(draft("vendor", read(str(CONTRACTS / file))))
    assert {s.name for s in connector.streams} == streams
    assert type(connector.auth).__name__ == auth


# -- record ----------------------------------------------------------------------------------------------------------


def test_what_a_real_system_said_is_kept_and_replayed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    portal = Portal(quotas=())
    at = "2026-03-01T08:00:00.000000Z"
    portal.seed([Copy("", "accounts", n, {"name": f"Kessler {n}", "city": "Ulm"}, at, at) for n in range(1, 4)])
    with Running([portal]) as running:
        for name, value in {"url": running.urls["portal"], **portal.credentials}.items():
            monkeypatch.setenv(f"OMNIHUB_PORTAL_{name}".upper(), value)
        said = omnihub("record", "portal", "--stream", "accounts", "--pages", "1", "--to", "kept")
    assert said.code == 0, said.err
    assert {method for method, path, _ in portal.calls if not path.startswith("/oauth")} == {"GET"}
    assert "kept/portal/accounts.json" in said.out
    assert "Kessler" not in Path("kept/portal/accounts.json").read_text()
    with replayed(connectors.find()["portal"], Path("kept")) as replay:
        assert [len(page.records) for page in replay.pages("accounts")] == [3]


def test_a_stream_nobody_reads_is_a_matter_of_usage(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNIHUB_PORTAL_URL", "http://127.0.0.1:9")
    said = omnihub("record", "portal", "--stream", "acounts")
    assert said.code == 2
    assert "accounts" in said.err
