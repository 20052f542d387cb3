"""Settings are checked before anything runs, and what is wrong is said with the way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

import connectors
from omnihub.config import Config, Guard, OwnGuard, Rule, example, load
from omnihub.errors import ConfigError
from omnihub.flow.hub import limits_of
from omnihub.match import THRESHOLDS
from omnihub.merge import HALF_LIFE_DAYS
from omnihub.merge.rules import RULES
from omnihub.model import Entity
from omnihub.push import Limits
from omnihub.report import wording
from omnihub.sdk import Connector, Nested, Setting, Stream

ACME = Connector(
    "acme",
    "Acme CRM",
    "crm",
    streams=(Stream("accounts", Entity.ACCOUNT, {}), Stream("contacts", Entity.CONTACT, {})),
    settings=(
        Setting("url", "the address of your Acme"),
        Setting("region", "where it is hosted", default="eu"),
        Setting("token", "an access token", secret=True),
    ),
)
FOUND = {"acme": ACME, "zulu": Connector("zulu", "Zulu", "tickets", streams=(), settings=(Setting("url", "address"),))}
STANDIN = {"url": "http://127.0.0.1:1", "token": "sandbox"}

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes omnihub.yaml and returns where."""

    def to(text: str) -> Path:
        path = tmp_path / "omnihub.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return to


def read(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    return load(path, connectors=FOUND, environ=environ or {})


def complaint(path: Path, environ: Mapping[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        read(path, environ)
    return str(caught.value)


# -- without a file --------------------------------------------------------------------------------------------------


def test_no_file_is_fine_and_every_connector_is_a_system_pointing_to_its_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = load(connectors=FOUND, environ={})
    assert config.enabled(FOUND) == FOUND
    assert all(config.in_sandbox(name) for name in FOUND)
    assert config.store == f"sqlite:///{tmp_path}/.omnihub/hub.db"
    assert config.home == tmp_path / ".omnihub"
    assert config.guard.max_share == 0.3


def test_an_empty_file_is_as_good_as_none(write: Write) -> None:
    assert read(write("# nothing\n")).sandbox


def test_a_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"other\.yaml: there is no such file; write one with `omnihub init`"):
        load(tmp_path / "other.yaml", environ={})
    with pytest.raises(ConfigError, match="no such file"):
        load(environ={"OMNIHUB_CONFIG": str(tmp_path / "other.yaml")})


# -- the store and the home ------------------------------------------------------------------------------------------


def test_relative_paths_are_taken_from_the_folder_of_the_file(write: Write, tmp_path: Path) -> None:
    config = read(write("home: here\n"))
    assert (config.home, config.store) == (tmp_path / "here", f"sqlite:///{tmp_path}/here/hub.db")
    assert read(write("store: sqlite:///x/y.db\n")).store == f"sqlite:///{tmp_path}/x/y.db"
    assert read(write("store: sqlite:////var/y.db\n")).store == "sqlite:////var/y.db"


def test_the_environment_is_stronger_than_the_file(write: Write, tmp_path: Path) -> None:
    path = write("store: sqlite:///x.db\nhome: here\n")
    config = read(path, {"OMNIHUB_STORE": "postgresql+psycopg://me@db/hub", "OMNIHUB_HOME": "/srv/hub"})
    assert (config.store, config.home) == ("postgresql+psycopg://me@db/hub", Path("/srv/hub"))
    assert read(write(""), {"OMNIHUB_HOME": "there"}).store == f"sqlite:///{tmp_path}/there/hub.db"


def test_a_password_in_the_store_is_refused_in_the_file_and_never_shown_from_the_environment(write: Write) -> None:
    url = "postgresql+psycopg://me:hunter2@db/hub"
    said = complaint(write(f"store: {url}\n"))
    assert "OMNIHUB_STORE" in said
    assert "hunter2" not in said
    config = read(write(""), {"OMNIHUB_STORE": url})
    assert config.store == url
    assert config.store_shown == "postgresql+psycopg://me:…@db/hub"
    assert "hunter2" not in repr(config)


def test_a_store_of_another_kind_is_refused_with_what_to_write(write: Write) -> None:
    assert "store: write sqlite:///path/hub.db or postgresql+psycopg://" in complaint(write("store: mysql://x\n"))


# -- unknown keys and wrong values -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stor: x", "omnihub.yaml: stor: there is no such setting; did you mean store?"),
        (
            "guard: {max_shre: 0.2}",
            "omnihub.yaml: guard.max_shre: there is no such setting; did you mean guard.max_share?",
        ),
        (
            "gates: {stays_in: {contact.fone: [EU]}}",
            "gates.stays_in: contact.fone is no field; did you mean contact.phone?",
        ),
        ("gates: {stays_in: {contact.phone: EU}}", "contact.phone: write the regions it may be in, as [EU]"),
        ("gates: {purposes: {acme.contact: marketing}}", "write system.entity.field, or system.entity.create"),
        ("gates: {purposes: {acme.contact.fone: marketing}}", "acme.contact.fone is no field; did you mean phone?"),
        ("gates: {purposes: {acem.contact.phone: marketing}}", "there is no system of this name; did you mean acme?"),
        ("gates: {unknown_is_no: [marketting]}", "there is no purpose marketting; did you mean marketing?"),
        ("systems: {zulu: {region: eu}}", "systems.zulu.region: write it in capitals, as EU"),
        (
            "guard: {limits: {contact.emial: {floor: 1}}}",
            "guard.limits: contact.emial: there is no field emial; did you mean email?",
        ),
        (
            "guard: {limits: {acme.contct: {floor: 1}}}",
            "guard.limits: acme.contct: there is no entity contct; did you mean contact?",
        ),
        (
            "guard: {limits: {contact: {max_shre: 0.1}}}",
            "guard.limits: contact.max_shre: there is no such limit; did you mean max_share?",
        ),
        (
            "guard: {limits: {acmee.contact: {floor: 1}}}",
            "guard.limits.acmee.contact: there is no system or entity acmee; did you mean acme?",
        ),
        ("survivorship: {rulse: {}}", "survivorship.rulse: there is no such setting; did you mean survivorship.rules?"),
        (
            "match: {contact: {sam: 1, unsure: 0, same: 2}}",
            "match.contact.sam: there is no such setting; did you mean match.contact.same?",
        ),
        ("match: {contct: {}}", "match.contct: there is no such setting; did you mean match.contact?"),
        ("systems: {acmee: {url: x}}", "systems.acmee: there is no connector of this name; did you mean acme?"),
        ("systems: {acme: {regon: us}}", "systems.acme.regon: there is no such setting; did you mean region?"),
        ("systems: {acme: {enabeld: true}}", "systems.acme.enabeld: there is no such setting; did you mean enabled?"),
        ("systems: {acme: {streams: [acounts]}}", "Acme CRM has no stream acounts; did you mean accounts?"),
        ("systems: {acme: {streams: [zzz]}}", "has no stream zzz; there are: accounts, contacts"),
        ("survivorship: {rules: {contact.fone: recent}}", "contact.fone is no field; did you mean contact.phone?"),
        (
            "survivorship: {rules: {contact.phone: best}}",
            "contact.phone: there is no rule best; there are: trusted, recent",
        ),
        ("findings: {orders_from: [acne]}", "findings.orders_from: there is no system acne; did you mean acme?"),
        (
            "survivorship: {trust: {acne: 1}}",
            "trust.acne: there is no system of this name; did you mean acme?",
        ),
        ("survivorship: {trust: {acme.fone: 1}}", "acme.fone is no field of a system; did you mean phone?"),
        (
            "survivorship: {trust: {acne.phone: 1}}",
            "trust.acne.phone: there is no system of this name; did you mean acme?",
        ),
        (
            "survivorship: {rules: {contact.phone: {order: [acne]}}}",
            "rules.contact.phone.order: there is no system acne; did you mean acme?",
        ),
        (
            "survivorship: {rules: {contact.phone: {half_live_days: 3}}}",
            "contact.phone: there is no such setting as half_live_days; did you mean half_life_days?",
        ),
        ("survivorship: {rules: {contact.phone: frequnt}}", "there is no rule frequnt; did you mean frequent?"),
    ],
)
def test_an_unknown_word_is_refused_with_the_nearest_known_one(write: Write, text: str, says: str) -> None:
    assert says in complaint(write(text))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("guard: {max_share: 2}", "guard.max_share: should be less than or equal to 1 (is 2)"),
        ("guard: {max_share: lots}", "guard.max_share: should be a valid number"),
        ("guard: lots", "guard: should be"),
        ("match: {contact: {same: 5, unsure: 9}}", "match.contact: unsure must not be above same"),
        ("survivorship: {rules: {contact.city: recent}}", "contact.city is never taken alone; write contact.address"),
        ("survivorship: {trust: {acme: 7}}", "survivorship.trust.acme: should be less than or equal to 1 (is 7)"),
        ("survivorship: {trust: {acme.city: 1}}", "acme.city is never taken alone; write acme.address"),
        ("survivorship: {trust: {acme.contact.city: 1}}", "is never taken alone; write acme.address"),
        ("survivorship: {rules: {contact.phone: order}}", "contact.phone: write the systems as {order: [system, …]}"),
        (
            "survivorship: {rules: {contact.phone: {rule: order, order: []}}}",
            "write the systems as {order: [system, …]}",
        ),
        ("survivorship: {rules: {contact.phone: {rule: recent, order: [acme]}}}", "write the systems as {order: "),
        ("survivorship: {rules: {contact.phone: strictest}}", "strictest is for permissions (contact.consent)"),
        (
            "survivorship: {rules: {contact.phone: union}}",
            "union is for fields that may hold several values; there are: ",
        ),
        ("survivorship: {rules: {contact.phone: 7}}", "contact.phone: write a rule (trusted, recent, "),
        ("survivorship: {rules: recent}", "survivorship.rules: write each below it, as entity.field: rule"),
        ("survivorship: {rules: {contact.phone: {half_life_days: 0}}}", "half_life_days: should be greater than 0"),
        ("default_country: Germany", "default_country: "),
        ("default_country: NO", "put it in quotes"),
        ("schedule: hourly", "schedule: write five cron fields"),
        ("systems: {acme: on}", "systems.acme: write its settings below it"),
        ("systems: {acme: {url: [a]}}", "systems.acme: url takes one value, not a list"),
        ("systems: {acme: {full_every_hours: 0}}", "systems.acme.full_every_hours: should be greater than 0"),
        ("- a\n- b", "write settings as key: value"),
        ("store: [", "omnihub.yaml: line 2, column 1"),
        ("home: a\nhome: b", "omnihub.yaml: line 2, column 1: home is written twice"),
        ("systems:\n  acme:\n    url: a\n    url: b", "line 4, column 5: url is written twice"),
    ],
)
def test_a_wrong_value_is_refused_with_the_key_and_what_is_wanted(write: Write, text: str, says: str) -> None:
    said = complaint(write(text + "\n"))
    assert said.startswith("omnihub.yaml")
    assert says in said


def test_all_that_is_wrong_is_said_at_once(write: Write) -> None:
    said = complaint(write("stor: x\nguard: {max_share: 2}\n"))
    assert len(said.splitlines()) == 2


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "omnihub.yaml"
    path.write_bytes(b"store: \xff\xfe\n")
    assert "cannot be read" in complaint(path)


# -- secrets and the settings of a system ----------------------------------------------------------------------------


def test_a_secret_in_the_file_is_refused_and_not_repeated(write: Write) -> None:
    said = complaint(write("systems: {acme: {url: https://acme.example, token: hunter2}}\n"))
    assert "systems.acme.token: is a secret" in said
    assert "set the variable OMNIHUB_ACME_TOKEN" in said
    assert "hunter2" not in said


def test_settings_come_from_defaults_then_the_file_then_the_environment(write: Write) -> None:
    path = write("systems: {acme: {url: https://acme.example, region: us}}\n")
    config = read(path, {"OMNIHUB_ACME_TOKEN": "t"})
    assert config.settings_for(ACME) == {"url": "https://acme.example", "region": "us", "token": "t"}
    config = read(path, {"OMNIHUB_ACME_TOKEN": "t", "OMNIHUB_ACME_REGION": "apac"})
    assert config.settings_for(ACME)["region"] == "apac"


def test_plain_numbers_and_booleans_of_a_system_are_text_for_its_connector(write: Write) -> None:
    config = read(write("systems: {acme: {url: https://acme.example, region: 7}}\n"), {"OMNIHUB_ACME_TOKEN": "t"})
    assert config.settings_for(ACME)["region"] == "7"


def test_a_missing_secret_names_the_variable(write: Write) -> None:
    config = read(write("systems: {acme: {url: https://acme.example}}\n"))
    with pytest.raises(ConfigError, match=r"acme: set OMNIHUB_ACME_TOKEN \(an access token\)"):
        config.settings_for(ACME)


def test_a_misspelt_variable_is_pointed_out_without_its_value(write: Write) -> None:
    config = read(write("systems: {acme: {url: https://acme.example}}\n"), {"OMNIHUB_ACME_TOKN": "hunter2"})
    with pytest.raises(ConfigError, match="OMNIHUB_ACME_TOKN is set, but Acme CRM has no such setting") as caught:
        config.settings_for(ACME)
    assert "hunter2" not in str(caught.value)


# -- the stand-ins ---------------------------------------------------------------------------------------------------


def test_a_system_in_the_sandbox_gets_the_stand_ins_address_and_token(write: Write) -> None:
    config = read(write(""), {"OMNIHUB_ACME_TOKEN": "real"})
    assert config.settings_for(ACME, STANDIN) == {"url": "http://127.0.0.1:1", "region": "eu", "token": "sandbox"}


def test_a_stand_in_that_does_not_run_is_said(write: Write) -> None:
    with pytest.raises(ConfigError, match=r"acme: points to its stand-in, which is not running; start it with"):
        read(write("")).settings_for(ACME)


def test_one_real_address_switches_the_stand_ins_off_and_leaves_the_others_out(write: Write) -> None:
    path = write("systems: {acme: {url: https://acme.example}}\n")
    for config in (read(path), read(write(""), {"OMNIHUB_ACME_URL": "https://acme.example"})):
        assert not config.sandbox
        assert list(config.enabled(FOUND)) == ["acme"]
        assert not config.in_sandbox("acme")


def test_real_systems_meet_stand_ins_only_when_the_file_says_so(write: Write) -> None:
    config = read(write("sandbox: true\nsystems: {acme: {url: https://acme.example}}\n"))
    assert list(config.enabled(FOUND)) == ["acme", "zulu"]
    assert [config.in_sandbox(name) for name in ("acme", "zulu")] == [False, True]


def test_a_url_for_nobody_is_refused_instead_of_switching_everything_off(write: Write) -> None:
    said = complaint(write(""), {"OMNIHUB_ACNE_URL": "https://acme.example"})
    assert "OMNIHUB_ACNE_URL: there is no such system; did you mean OMNIHUB_ACME_URL?" in said


def test_a_system_without_an_address_and_without_a_stand_in_says_where_to_write_it(write: Write) -> None:
    config = read(write("sandbox: false\nsystems: {acme: {}}\n"))
    with pytest.raises(ConfigError, match=r"acme: set systems\.acme\.url in omnihub\.yaml, or OMNIHUB_ACME_URL"):
        config.settings_for(ACME)


def test_a_system_can_be_switched_off_and_read_in_part(write: Write) -> None:
    config = read(write("systems: {zulu: {enabled: false}, acme: {streams: [contacts], full_every_hours: 24}}\n"))
    assert list(config.enabled(FOUND)) == ["acme"]
    assert config.streams(ACME) == ("contacts",)
    assert config.full_every_hours("acme") == 24
    assert read(write("")).streams(ACME) == ("accounts", "contacts")


def test_a_rule_for_a_group_holds_for_all_its_fields(write: Write) -> None:
    config = read(write("survivorship: {rules: {contact.phone: recent, contact.name: master}}\n"))
    assert config.survivorship.by_field() == {
        (Entity.CONTACT, "phone"): "recent",
        (Entity.CONTACT, "first_name"): "master",
        (Entity.CONTACT, "last_name"): "master",
    }


def test_order_of_systems_age_and_trust_are_told_by_field_and_group(write: Write) -> None:
    told = read(
        write(
            """survivorship:
  rules:
    contact.name: {order: [zulu, acme]}
    contact.phone: {rule: recent, half_life_days: 90}
    account.status: union
  trust: {acme: 0.6, acme.phone: 0.9, acme.contact.email: 0.7, zulu.address: 0.2}
"""
        )
    ).survivorship
    first, last, phone = ((Entity.CONTACT, name) for name in ("first_name", "last_name", "phone"))
    assert told.by_field() == {first: "order", last: "order", phone: "recent", (Entity.ACCOUNT, "status"): "union"}
    assert told.orders() == {first: ("zulu", "acme"), last: ("zulu", "acme")}
    assert told.half_lives() == {phone: 90}
    assert told.trust == {"acme": 0.6, "acme.phone": 0.9, "acme.contact.email": 0.7, "zulu.address": 0.2}


def test_the_gates_take_a_region_of_a_system_and_homes_of_fields(write: Write) -> None:
    file = "gates: {stays_in: {contact.address: [EU, CH]}}\nsystems: {acme: {url: https://acme.example, region: eu}}"
    told = read(write(file), {"OMNIHUB_ACME_TOKEN": "t"})
    assert told.gates.homes()[Entity.CONTACT, "street"] == {"EU", "CH"}
    assert told.regions() == {"acme": "EU"}  # acme has a setting of that name, which says the same


def test_people_are_told_in_a_real_system_only_where_somebody_says_so_and_in_a_stand_in_unless_they_say_no(
    write: Write,
) -> None:
    real = "systems: {acme: {url: https://acme.example%s}}"
    assert not read(write(real % "")).told("acme")
    assert read(write(real % ", report: true")).told("acme")
    assert read(write("sandbox: true")).told("acme")
    assert not read(write("sandbox: true\nsystems: {acme: {report: false}}")).told("acme")


def test_a_purpose_may_have_other_names_and_a_field_none(write: Write) -> None:
    file = (
        "gates: {consents: {service mail: service}, purposes: {acme.contact.phone: none, acme.contact.email: service}}"
    )
    told = read(write(file)).gates
    assert told.purposes == {"acme.contact.phone": (), "acme.contact.email": ("service",)}


def test_the_guard_without_settings_is_the_one_push_has_by_itself(write: Write) -> None:
    assert limits_of(read(write(""))) == Limits()


def test_every_limit_of_the_guard_can_be_set_for_all_and_for_one_field(write: Write) -> None:
    told = read(write("guard: {max_emptied: 2, source_drop: 0.5, limits: {acme.contact.phone: {max_share: 0.1}}}"))
    limits = limits_of(told)
    assert (limits.emptied, limits.drop) == (2, 0.5)
    assert limits.at("acme", "contact", "phone").share == 0.1
    assert limits.at("acme", "contact", "email") == limits
    assert set(OwnGuard.model_fields) == set(Guard.model_fields) - {"limits"}, "each of them"


def test_the_rules_that_can_be_chosen_are_those_that_merge_knows() -> None:
    assert get_args(Rule) == RULES
    assert set(wording.RULES) == {*RULES, "pin"}, "and the report has words for each"


# -- streams and how often ---------------------------------------------------------------------------------------------


def test_a_stream_that_is_not_chosen_takes_no_part_and_a_nested_one_follows_the_other(write: Write) -> None:
    nested = Stream("lines", Entity.LINE, {}, nested=Nested("orders", "lines"))
    shop = replace(ACME, streams=(*ACME.streams, Stream("orders", Entity.ORDER, {}), nested))
    config = load(write("systems: {acme: {url: x, streams: [orders]}}\n"), connectors={"acme": shop}, environ={})
    [taking_part] = config.enabled({"acme": shop}).values()
    assert [stream.name for stream in taking_part.streams] == ["orders", "lines"]
    assert config.enabled({"acme": taking_part})["acme"] == taking_part


def test_the_settings_say_how_often_streams_are_read_whole(write: Write) -> None:
    often = replace(ACME, streams=(Stream("accounts", Entity.ACCOUNT, {}, pull=lambda client, want: iter(())),))
    config = load(write("systems: {acme: {url: x, full_every_hours: 6}}\n"), connectors={"acme": often}, environ={})
    assert config.enabled({"acme": often})["acme"].streams[0].full_every == timedelta(hours=6)
    assert config.enabled({"zulu": FOUND["zulu"]}) == {}


# -- systems declared in the file alone --------------------------------------------------------------------------------

PARTNERS = (
    "connector: files, url: ./in, streams: {people: {files: p.csv, entity: contact, key: Id, map: {email: Mail}}}"
)


def declaring(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    return load(path, connectors=FOUND, templates=connectors.templates(), environ=environ or {})


def test_a_declared_system_takes_part_like_any_other(write: Write) -> None:
    config = declaring(write(f"systems: {{partners: {{{PARTNERS}, title: Our partners, master: true}}}}\n"))
    [connector] = config.enabled(FOUND).values()
    assert (connector.name, connector.title, connector.master) == ("partners", "Our partners", True)
    assert config.settings_for(connector) == {"url": "./in", "outbox": ""}
    assert config.known(FOUND).keys() == {*FOUND, "partners"}


def test_a_declared_system_is_real_so_the_stand_ins_are_off_until_the_file_says_otherwise(write: Write) -> None:
    assert not declaring(write(f"systems: {{partners: {{{PARTNERS}}}}}\n")).sandbox
    config = declaring(write(f"sandbox: true\nsystems: {{partners: {{{PARTNERS}}}}}\n"))
    assert [name for name in config.enabled(FOUND) if config.in_sandbox(name)] == ["acme", "zulu"]


def test_a_declared_system_can_be_trusted_and_addressed_by_the_environment(write: Write) -> None:
    path = write(f"systems: {{partners: {{{PARTNERS}}}}}\nsurvivorship: {{trust: {{partners: 0.9}}}}\n")
    config = declaring(path, {"OMNIHUB_PARTNERS_URL": "s3://bucket"})
    assert config.settings_for(config.known({})["partners"]) == {"url": "s3://bucket", "outbox": ""}


@pytest.mark.parametrize(
    ("system", "says"),
    [
        ("x: {connector: fils}", "systems.x.connector: there is no template fils; did you mean files?"),
        (f"acme: {{{PARTNERS}}}", "systems.acme: is a connector that is there already; choose another name"),
        (f"Our-Partners: {{{PARTNERS}}}", "systems.Our-Partners: name it with small letters, digits and _ only"),
        ("x: {connector: files, url: a}", "systems.x.streams: declare at least one"),
        ("x: {connector: files, url: a, streams: [people]}", "declare each below it"),
        (f"x: {{{PARTNERS}, outbx: y}}", "systems.x.outbx: there is no such setting; did you mean outbox?"),
        (
            f"x: {{{PARTNERS.replace('./in', 'ftp://me:hunter2@h/in')}}}",
            "put the whole address into the variable OMNIHUB_X",
        ),
        (f"x: {{{PARTNERS.replace('Mail}', 'Mail}, push: [email]')}, master: true}}", "a master is never written"),
    ],
)
def test_what_is_wrong_with_a_declared_system_is_said(write: Write, system: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        declaring(write(f"systems:\n  {system}\n"))
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_every_trouble_of_every_declared_system_is_said_at_once_each_with_its_line(write: Write) -> None:
    text = PARTNERS.replace("Mail", "{path: Mail, codes: {}, one_wy: true}")
    with pytest.raises(ConfigError) as caught:
        declaring(write(f"systems:\n  a: {{{text}}}\n  b: {{{PARTNERS.replace('email', 'mail')}}}\n"))
    first, second = str(caught.value).splitlines()
    assert first.startswith("omnihub.yaml: line 2, column ")
    assert first.endswith("systems.a.streams.people.map.email.one_wy: there is no such key; did you mean one_way?")
    assert second.startswith("omnihub.yaml: line 3, column ")
    assert second.endswith("systems.b.streams.people.map.mail: contact has no such field; did you mean email?")


# -- the example -----------------------------------------------------------------------------------------------------


def uncommented(text: str) -> str:
    return re.sub(r"^#(?! ?$| \S)", "", text, flags=re.MULTILINE)


def test_the_example_changes_nothing_as_it_is(write: Write) -> None:
    text = example(FOUND)
    assert read(write(text)) == read(write(""))


def test_every_line_of_the_example_is_a_valid_setting(write: Write) -> None:
    config = read(write(uncommented(example(FOUND))))
    assert config.systems.keys() == FOUND.keys()
    assert config.match.contact is not None
    assert config.match.contact.same == THRESHOLDS[Entity.CONTACT].same
    assert config.survivorship.half_life_days == HALF_LIFE_DAYS
    assert config.guard == read(write("")).guard
    assert config.schedule == read(write("")).schedule


def test_the_example_for_our_connectors_is_valid_and_names_every_secrets_variable(write: Write) -> None:
    found = connectors.find()
    text = example(found)
    load(write(uncommented(text)), connectors=found, environ={})
    for name, connector in found.items():
        for setting in connector.settings:
            if setting.secret:
                assert f"OMNIHUB_{name}_{setting.name}".upper() in text
