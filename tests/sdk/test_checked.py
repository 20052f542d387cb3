"""A declaration that is wrong says all that is wrong with it, each with its line, its key and what was meant."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import connectors
from omnihub.errors import ConfigError
from omnihub.sdk import (
    Basic,
    Bearer,
    ByIds,
    ByKeys,
    ClientCredentials,
    Codes,
    Connector,
    Const,
    Cursor,
    Delete1,
    Entity,
    Erase1,
    FullName,
    GraphSend,
    Keyset,
    Limit,
    Link,
    Link1,
    LoginToken,
    Nested,
    Offset,
    OneWay,
    Pages,
    Push,
    Quota,
    Send1,
    Sends,
    Setting,
    Stream,
    Upsert1,
)
from omnihub.sdk.checked import troubles

UPDATE, LOOK = Send1("PATCH", "/dealers/{id}"), ByIds("/dealers/{id}")
PUSH = Push(fields=("phone",), update=UPDATE, look=LOOK)
DEALERS = Stream("dealers", Entity.ACCOUNT, {"name": "company", "phone": "phone"}, Pages("/dealers"), push=PUSH)
PEOPLE = Stream("people", Entity.CONTACT, {"account": Link("of", stream="dealers")}, Pages("/people"))
SETTINGS = (Setting("url", "where"), Setting("token", "how", secret=True))
ACME = Connector("acme", "Acme", "dealers", (DEALERS, PEOPLE), SETTINGS, Bearer("token"))


def said(connector: Connector) -> list[str]:
    return [str(one) for one in troubles(connector)]


def with_stream(**changes: Any) -> Connector:
    return replace(ACME, streams=(replace(DEALERS, **changes), PEOPLE))


def with_push(**changes: Any) -> Connector:
    return with_stream(push=replace(PUSH, **changes))


def test_a_sound_one_has_no_troubles() -> None:
    assert said(ACME) == []


WRONG: dict[str, tuple[Connector, str]] = {
    # the connector
    "two streams of one name": (replace(ACME, streams=(PEOPLE, DEALERS, DEALERS)), "2 streams named dealers"),
    "a stream with a slash": (replace(ACME, streams=(replace(DEALERS, name="a/b"),)), "'a/b' is no name for a stream"),
    "no url": (replace(ACME, settings=SETTINGS[1:]), 'Setting("url"'),
    "a setting twice": (replace(ACME, settings=(*SETTINGS, SETTINGS[1])), "2 settings named token"),
    "an unknown setting in auth": (replace(ACME, auth=Bearer("tokn")), "no setting tokn; did you mean token?"),
    "an unknown setting in a template": (
        replace(ACME, auth=Basic("{tokn}/x", "token")),
        "auth: there is no setting tokn; did you mean token?",
    ),
    "a login without its settings": (replace(ACME, auth=LoginToken("/login")), "auth: there is no setting username"),
    "client credentials without theirs": (replace(ACME, auth=ClientCredentials("/t")), "no setting client_secret"),
    "a limit of nothing": (replace(ACME, limits=(Limit(0, per_s=1),)), "limits.calls: must be at least 1"),
    "a limit for no path": (replace(ACME, limits=(Limit(1, 1, path="("),)), "limits.path: '(' is no regular"),
    "a quota in no zone": (replace(ACME, limits=(Quota(9, zone="Berlin"),)), "'Berlin' is no time zone"),
    "a quota of no setting": (replace(ACME, limits=(Quota(9, zone="{zone}"),)), "limits.zone: there is no setting"),
    "a master that is written": (replace(ACME, master=True), "dealers.push: a master is never written"),
    # the stream
    "an unknown field": (with_stream(map={"nam": "x", "phone": "phone"}), "map.nam: account has no field nam; did you"),
    "a path with two dots": (with_stream(map={"phone": "a..b"}), "map.phone: 'a..b' has a dot too many; did you"),
    "a JSONPath": (with_stream(map={"phone": "$.t[0].no"}), "'$.t[0].no' is no dotted path; did you mean t.0.no?"),
    "a path to the parent of none": (with_stream(map={"phone": "^phone"}), "only a nested stream has a parent"),
    "an empty path": (with_stream(map={"phone": ""}), "map.phone: says no path"),
    "a link to nowhere": (
        with_stream(map={"phone": "phone", "parent": Link("of", stream="dealer")}),
        "map.parent.stream: there is no stream dealer; did you mean dealers?",
    ),
    "codes without codes": (with_stream(map={"phone": "phone", "status": Codes("s")}), "status.codes: has no codes"),
    "nested in nothing": (
        with_stream(pull=None, nested=Nested("peple", "dealers"), push=None),
        "nested.of: there is no stream peple; did you mean people?",
    ),
    "neither pulled nor nested": (with_stream(pull=None), "pull: says neither pull nor nested"),
    "blind for ever": (with_stream(blind="prices"), "blind: say how often to read everything"),
    "never full": (with_stream(full_every=timedelta(0)), "full_every: must be more"),
    # pull
    "no slash": (with_stream(pull=Pages("dealers")), "pull.path: 'dealers' must begin with a slash"),
    "a placeholder in a list": (with_stream(pull=Pages("/{tenant}/x")), "pull.path: {tenant} is filled by nothing"),
    "since without since": (
        with_stream(pull=Pages("/x", since={"after": "updated"}, updated="at")),
        "pull.since.after: has no {since}",
    ),
    "since with something else": (
        with_stream(pull=Pages("/x", since={"after": "{cursor}"}, updated="at")),
        "{cursor} is filled by nothing; did you mean {since}?",
    ),
    "since, and no cursor": (with_stream(pull=Pages("/x", since={"after": "{since}"})), "no cursor can be kept"),
    "pages of nothing": (with_stream(pull=Pages("/x", next=Offset("o", 0))), "pull.next.size: must be at least 1"),
    "a lap of a page": (with_stream(pull=Pages("/x", next=Offset("o", 5, lap=5))), "pull.next.lap: must be less"),
    "a cursor nowhere": (with_stream(pull=Pages("/x", next=Cursor("", "c"))), "pull.next.path: says no path"),
    "a keyset without time": (with_stream(pull=Pages("/x", next=Keyset("since"))), "pull.next: goes on by the time"),
    # push
    "a field not in the map": (with_push(fields=("phoen",)), "fields: phoen is not in the map; did you mean phone"),
    "a one-way field": (with_stream(map={"phone": OneWay("phone")}), "push.fields: phone is OneWay in the map"),
    "a constant": (with_stream(map={"phone": Const("1")}), "push.fields: phone is Const in the map"),
    "the key": (with_stream(map={"phone": "id"}), "push.fields: phone is the key of the record"),
    "half a name": (
        replace(ACME, streams=(replace(
            DEALERS,
            entity=Entity.CONTACT,
            map={"phone": FullName("name", "first"), "last_name": FullName("name", "last")},
        ),)),
        "phone and last_name are one text at name: write both or neither",
    ),
    "no field": (with_push(fields=()), "push.fields: names no field"),
    "a field twice": (with_push(fields=("phone", "phone")), "names phone 2 times"),
    "a batch of none": (with_push(batch=0), "push.batch: must be at least 1, is 0"),
    "a length of no field": (with_push(max_length={"fone": 9}), "push.max_length: fone is not in the map"),
    "a purpose of no field": (with_push(purposes={"fone": ("marketing",)}), "purposes: fone is not written; did you"),
    "a length of none": (with_push(max_length={"phone": 0}), "push.max_length: phone: must be at least 1"),
    "a method nobody knows": (with_push(update=Send1("PATHC", "/x/{id}")), "'PATHC' is no method here; did you mean P"),
    "an unknown placeholder": (with_push(update=Send1("PATCH", "/x/{ids}")), "{ids} is filled by nothing; did you"),
    "a change to no record": (with_push(update=Send1("PATCH", "/x")), "update.path: says nothing of which record"),
    "a look at no record": (with_push(look=ByIds("/x")), "push.look.path: says nothing of which record"),
    "a find by no key": (with_push(find=ByKeys("/x")), "push.find.path: says nothing of which record: write {key}"),
    "an upsert by no key": (with_push(create=Upsert1("POST", "/x")), "push.create.path: says nothing of which record"),
    "a delete of everything": (with_push(delete=Delete1("/x")), "push.delete.path: says nothing of which record"),
    "an erasure of everybody": (with_push(erase=Erase1("/x")), "push.erase.path: says nothing of which record"),
    "a link that is none": (
        with_push(update=Sends((Link1("/{id}/x/{other}", "phone"),), rest=UPDATE)),
        "update.links.link: phone is no Link in the map",
    ),
    "a variable of nothing": (
        with_push(update=GraphSend("/graphql", "mutation", "data.x", {"input": {"id": "{idd}"}})),
        "update.variables: {idd} is filled by nothing; did you mean id?",
    ),
    "a brace too many": (with_push(update=Send1("PATCH", "/x/{id")), "update.path: {…} is filled by nothing"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_with_its_key_and_what_was_meant(what: str) -> None:
    connector, says = WRONG[what]
    assert any(says in one for one in said(connector)), said(connector)


# -- in its file ------------------------------------------------------------------------------------------------------

Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Puts a connector into a folder of its own and returns what `connectors.find` has against it."""
    package = f"written_{tmp_path.name.replace('-', '_')}"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)

    def find(text: str) -> str:
        (tmp_path / package / "acme.py").write_text(text)
        importlib.invalidate_caches()
        with pytest.raises(ConfigError) as refused:
            connectors.find(package)
        return str(refused.value).replace(package, "out")

    return find


MANY = """\
from omnihub.sdk import *

FIELDS = {"name": "company", "phone": "phone"}


def listed(path):
    return Pages(path, items="data", since={"after": "{sinse}"}, updated="at")


dealers = Stream(
    "dealers",
    Entity.ACCOUNT,
    {
        **FIELDS,
        "citty": "address.city",
    },
    listed("dealers"),
    push=Push(
        ("phone",
         "naem"),
        update=Send1("PATCH", "/dealers/{id}"),
        look=ByIds("/dealers/{id}"),
        batch=-1,
    ),
)
connector = Connector("acme", "Acme", "dealers", (dealers,), settings=(Setting("url", "where"),),
                      auth=Bearer("token"))
"""


def test_all_that_is_wrong_is_said_at_once_with_its_line(write: Write) -> None:
    assert write(MANY).splitlines() == [
        "out/acme.py:7: dealers.pull.since.after: {sinse} is filled by nothing; did you mean {since}?",
        "out/acme.py:15: dealers.map.citty: account has no field citty; did you mean city?",
        "out/acme.py:17: dealers.pull.path: 'dealers' must begin with a slash: it is joined to the url",
        "out/acme.py:20: dealers.push.fields: naem is not in the map; did you mean name?",
        "out/acme.py:23: dealers.push.batch: must be at least 1, is -1",
        "out/acme.py:27: auth: there is no setting token; there are: url",
    ]


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("from omnihub.sdk import Offst", "did you mean Offset?"),
        ("from omnihub.sdk import Pages\nPages('/x', upated='at')", "did you mean updated?"),
        ("from omnihub.sdk import Entity\nEntity.ACOUNT", "did you mean ACCOUNT?"),
        ("from omnihub import sdk\nsdk.Beare('token')", "did you mean Bearer?"),
        ("from omnihub.sdk import *\nBaerer('token')", "did you mean Bearer?"),
    ],
)
def test_a_word_python_does_not_know_comes_with_the_one_that_was_meant(write: Write, code: str, meant: str) -> None:
    told = write(code)
    assert told.startswith(f"out/acme.py:{len(code.splitlines())}: does not load:")
    assert told.endswith(meant)


def test_every_connector_of_ours_is_soundly_declared() -> None:
    assert {name: said(found) for name, found in connectors.find().items() if said(found)} == {}
