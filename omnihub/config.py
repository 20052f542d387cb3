"""Settings: what `omnihub.yaml` and the environment say, checked before anything runs.

    omnihub.yaml                      everything but secrets; every key has a default, so no file is fine too
    OMNIHUB_<SYSTEM>_<SETTING>        secrets, and any other setting of a system; stronger than the file
    OMNIHUB_STORE, OMNIHUB_HOME       stronger than the file's `store` and `home`
    OMNIHUB_CONFIG                    another file than ./omnihub.yaml

A system is a connector there is, or one declared here alone: `connector` names its template, `streams` has the rest
(`omnihub.sdk.declared`). A declared one is always real and takes part like any other.

A system without a `url` points to its stand-in. As soon as one has a `url`, the stand-ins are off unless the file says
`sandbox: true`, so that invented customers never reach a real system by accident.

What is wrong is refused with the file, the dotted key, the nearest valid key and the fix; in a declaration with the
line as well.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import available_timezones

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from omnihub.errors import ConfigError
from omnihub.model import FINDING_KINDS, Entity, Kind, Severity, fields_of
from omnihub.model.entities import GOLDEN
from omnihub.sdk import Connector, Stream
from omnihub.sdk.connector import CREATING
from omnihub.sdk.declared import Declared, Misdeclared, Template, meant
from omnihub.sdk.session import complete

FILE = "omnihub.yaml"
PREFIX = "OMNIHUB_"
URL_VARIABLE = re.compile(rf"{PREFIX}\w+_URL")
NAME = re.compile(r"[a-z][a-z0-9_]*")
CRON = re.compile(r"[\d*/,A-Za-z-]+( [\d*/,A-Za-z-]+){4}")
STORE = re.compile(r"sqlite://|postgresql(\+psycopg)?://")
PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^@]*(?=@)")
SECRET_IN_QUERY = re.compile(r"[?&;](pass\w*|pwd|token|secret|key)=", re.IGNORECASE)

Rule = Literal["trusted", "recent", "order", "frequent", "complete", "strictest", "master", "union"]

_FIELDS: dict[str, list[tuple[Entity, str]]] = {}
"""What a rule can be written for: entity.field, or entity.group for fields that are only taken together."""
_PARTS: dict[str, str] = {}
"""entity.field → the entity.group it belongs to."""

for _entity in GOLDEN:
    for _field in fields_of(_entity).values():
        _FIELDS.setdefault(f"{_entity}.{_field.group or _field.name}", []).append((_entity, _field.name))
        if _field.group:
            _PARTS[f"{_entity}.{_field.name}"] = f"{_entity}.{_field.group}"

_SEVERAL = (Kind.CODE, Kind.TEXT)  # kinds of values that stand in one field as a;b;c


def _of_kinds(*kinds: Kind) -> list[str]:
    """The fields and groups that hold such a value."""
    return [key for key, held in _FIELDS.items() if any(fields_of(e)[name].kind in kinds for e, name in held)]


_PERMISSIONS = _of_kinds(Kind.CONSENT)
_UNITABLE = [key for key in _of_kinds(*_SEVERAL) if key not in _PARTS.values()]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Thresholds(_Section):
    """Bits of evidence: from `same` on two records are one customer, below `unsure` two; between, a person is asked."""

    same: float
    unsure: float

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.unsure > self.same:
            raise ValueError("unsure must not be above same")
        return self


class Match(_Section):
    """Other thresholds than the match step's own."""

    account: Thresholds | None = None
    contact: Thresholds | None = None
    product: Thresholds | None = None


_SHARE = Field(default=None, gt=0, le=1)
_COUNT = Field(default=None, ge=0)


class OwnGuard(_Section):
    """Limits of one system, entity or field, where they are not those of all."""

    max_share: float | None = _SHARE
    max_records: int | None = _COUNT
    first_run_share: float | None = _SHARE
    first_run_records: int | None = _COUNT
    floor: int | None = _COUNT
    max_emptied: int | None = _COUNT
    max_deleted: int | None = _COUNT
    max_loosened: int | None = _COUNT
    max_price_change: float | None = Field(default=None, gt=0)
    price_share: float | None = Field(default=None, ge=0, le=1)
    price_floor: int | None = _COUNT
    source_drop: float | None = _SHARE
    source_floor: int | None = _COUNT


class Guard(_Section):
    """How much one plan may change per system, entity and operation before a person has to approve it.

    limits: system, entity, entity.field, system.entity or system.entity.field → limits of its own; the nearest holds.
    """

    max_share: float = Field(default=0.3, gt=0, le=1)  # of the records the system has
    max_records: int = Field(default=100_000, ge=1)
    first_run_share: float = Field(default=1.0, gt=0, le=1)  # instead of max_share while nothing was ever written there
    first_run_records: int | None = Field(default=None, ge=1)  # instead of max_records
    floor: int = Field(default=20, ge=0)  # so few changes are fine whatever their share
    max_emptied: int = Field(default=0, ge=0)  # fields that lose their value
    max_deleted: int = Field(default=0, ge=0)
    max_loosened: int = Field(default=0, ge=0)  # consents that become yes
    max_price_change: float = Field(default=0.2, gt=0)  # how far a price may move, as a share of what it was …
    price_share: float = Field(default=0.05, ge=0, le=1)  # … where that is more than this share of the prices …
    price_floor: int = Field(default=10, ge=0)  # … and more than so many
    source_drop: float = Field(default=0.3, gt=0, le=1)  # of the records, or values of a field, a source loses at once
    source_floor: int = Field(default=10, ge=0)  # so few may go on any day; 1 for source_drop switches it off
    limits: Mapping[str, OwnGuard] = {}

    @field_validator("limits", mode="before")
    @classmethod
    def _of_something(cls, limits: Any) -> Any:
        if not isinstance(limits, Mapping):
            raise ValueError("write each below it, as system.entity.field: {max_share: 0.1}")
        for key, told in limits.items():
            _known_place(str(key))
            if not isinstance(told, Mapping):
                raise ValueError(f"{key}: write its limits below it, as {{max_share: 0.1}}")
            for name in told:
                if name not in OwnGuard.model_fields:
                    raise ValueError(f"{key}.{name}: there is no such limit; {meant(str(name), OwnGuard.model_fields)}")
        return {str(key): told for key, told in limits.items()}

    def own(self) -> dict[str, dict[str, float]]:
        """key → the limits that are set there."""
        return {key: told.model_dump(exclude_none=True) for key, told in self.limits.items()}


def _known_place(key: str) -> None:
    """What a limit may be about: system, entity, entity.field, system.entity, system.entity.field."""
    parts = key.split(".")
    at = next((n for n, part in enumerate(parts[:2]) if part in set(Entity)), None)
    if at is None:
        if len(parts) > 1:
            raise ValueError(f"{key}: there is no entity {parts[1]}; {meant(parts[1], set(Entity))}")
        return  # a system; which there are, is not known yet
    fields = fields_of(Entity(parts[at]))
    if len(parts) > at + 2:
        raise ValueError(f"{key}: write system.entity.field; nothing is below a field")
    if len(parts) > at + 1 and parts[-1] not in fields:
        raise ValueError(f"{key}: there is no field {parts[-1]}; {meant(parts[-1], fields)}")


class FieldRule(_Section):
    """How one field, or group of fields, is decided. order: the systems, first the one to be asked first."""

    rule: Rule = "trusted"
    order: tuple[str, ...] = ()
    half_life_days: float | None = Field(default=None, gt=0)


class Survivorship(_Section):
    """Which member's value wins. `rules`: entity.field (or entity.group, as in contact.address) → how it is decided.

    In the file that is the name of a rule, or `{rule, half_life_days}`, or `{order: [system, …]}`. trust: system,
    system.field or system.entity.field → how far it is believed; the nearest holds.
    """

    rules: Mapping[str, FieldRule] = {}
    trust: Mapping[str, Annotated[float, Field(ge=0, le=1)]] = {}
    half_life_days: float | None = Field(default=None, gt=0)  # after so long a value counts half

    @field_validator("rules", mode="before")
    @classmethod
    def _written_out(cls, rules: Any) -> Any:
        if not isinstance(rules, Mapping):
            raise ValueError("write each below it, as entity.field: rule")
        return {str(key): _written_out(_known_field(str(key)), told) for key, told in rules.items()}

    @field_validator("trust", mode="before")
    @classmethod
    def _trust_in_fields(cls, trust: Any) -> Any:
        for key in trust if isinstance(trust, Mapping) else ():
            _system, _, about = str(key).partition(".")
            if about:
                _known_about(str(key), about)
        return trust

    def by_field(self) -> dict[tuple[Entity, str], str]:
        """The rules with groups written out."""
        return {where: told.rule for where, told in self._each()}

    def orders(self) -> dict[tuple[Entity, str], tuple[str, ...]]:
        """The systems of each field that is decided by their order."""
        return {where: told.order for where, told in self._each() if told.order}

    def half_lives(self) -> dict[tuple[Entity, str], float]:
        """Days, of each field that has its own."""
        return {where: told.half_life_days for where, told in self._each() if told.half_life_days}

    def _each(self) -> Iterator[tuple[tuple[Entity, str], FieldRule]]:
        for key, told in self.rules.items():
            for where in _FIELDS[key]:
                yield where, told


def _known_field(key: str) -> str:
    if key in _PARTS:
        raise ValueError(f"{key} is never taken alone; write {_PARTS[key]}")
    if key not in _FIELDS:
        raise ValueError(f"{key} is no field; {meant(key, _FIELDS)}")
    return key


def _known_about(key: str, about: str) -> None:
    """What a system is trusted in: a field by its name alone, or of one entity."""
    for of, whole in _PARTS.items():
        if about in (of, of.partition(".")[2]):
            raise ValueError(f"{key} is never taken alone; write {key.removesuffix(about)}{whole.partition('.')[2]}")
    known = [*_FIELDS, *{key.partition(".")[2] for key in _FIELDS}]
    if about not in known:
        raise ValueError(f"{key} is no field of a system; {meant(about, known)}")


def _written_out(key: str, told: Any) -> Mapping[str, Any]:
    """One entry of the table as a `FieldRule` takes it; ValueError where it can't be meant."""
    entry: Any = {"rule": told} if isinstance(told, str) else told
    if not isinstance(entry, dict):
        raise ValueError(f"{key}: write a rule ({', '.join(get_args(Rule))}) or {{order: [system, …]}}")
    entry = {"rule": "order"} | entry if "order" in entry else entry
    if problem := _misruled(key, entry):
        raise ValueError(f"{key}: {problem}")
    return {str(name): value for name, value in entry.items()}


def _misruled(key: str, told: Mapping[Any, Any]) -> str | None:
    rule, fields = told.get("rule", "trusted"), [fields_of(entity)[name] for entity, name in _FIELDS[key]]
    if unknown := [str(one) for one in told if one not in FieldRule.model_fields]:
        return f"there is no such setting as {unknown[0]}; {meant(unknown[0], FieldRule.model_fields)}"
    if rule not in get_args(Rule):
        return f"there is no rule {rule}; {meant(str(rule), get_args(Rule))}"
    if (rule == "order") != bool(told.get("order")):
        return "write the systems as {order: [system, …]}, first the one to be asked first"
    if rule == "strictest" and not any(field.kind is Kind.CONSENT for field in fields):
        return f"strictest is for permissions ({', '.join(_PERMISSIONS)}); write another rule, or recent"
    if rule == "union" and not all(field.kind in _SEVERAL and not field.group for field in fields):
        return f"union is for fields that may hold several values; there are: {', '.join(_UNITABLE)}"
    return None


# -- gates -----------------------------------------------------------------------------------------------------------

REGION = "region"
"""The key that says where a system keeps its data; some connectors have a setting of that name that says the same."""
A_REGION = re.compile(r"[A-Z][A-Z0-9-]*")
PERSONS = "marketing"
"""The purpose a contact's own `marketing_consent` is about."""


class Gates(_Section):
    """What no plan may hold, whoever approves it.

    unknown_is_no: purposes for which a person has to have said yes. purposes: system.entity.field, or
    system.entity.create → what the system reaches a person for with it, where it is not what its connector says; none
    for nothing. consents: what else a purpose is called in consents (`newsletter: marketing`). stays_in: entity.field
    or entity.group → the regions it may be written in. fresh_minutes: what people said of purposes is read again before
    a plan is carried out, unless that was done so lately.
    """

    unknown_is_no: tuple[str, ...] = ()
    purposes: Mapping[str, tuple[str, ...]] = {}
    consents: Mapping[str, str] = {}
    stays_in: Mapping[str, tuple[str, ...]] = {}
    fresh_minutes: float = Field(default=10, ge=0)

    @field_validator("purposes", mode="before")
    @classmethod
    def _purposes_of_fields(cls, told: Any) -> Any:
        if not isinstance(told, Mapping):
            raise ValueError("write each below it, as system.entity.field: marketing")
        return {_reaching(str(key)): _words(str(key), value) for key, value in told.items()}

    @field_validator("stays_in", mode="before")
    @classmethod
    def _regions_of_fields(cls, told: Any) -> Any:
        if not isinstance(told, Mapping):
            raise ValueError("write each below it, as entity.field: [EU]")
        for key, regions in told.items():
            if key not in (*_FIELDS, *_PARTS):
                raise ValueError(f"{key} is no field; {meant(str(key), [*_FIELDS, *_PARTS])}")
            if not isinstance(regions, (list, tuple)) or not regions or not all(_is_region(one) for one in regions):
                raise ValueError(f"{key}: write the regions it may be in, as [EU]")
        return told

    @model_validator(mode="after")
    def _purposes_are_meant(self) -> Self:
        """A purpose nobody ever consents to stops nothing; a slip in its name must not go unseen."""
        known = [PERSONS, *self.consents.values()]
        for one in (*self.unknown_is_no, *(p for some in self.purposes.values() for p in some)):
            if one not in known:
                raise ValueError(
                    f"there is no purpose {one}; {meant(one, known)} (consents: {{word: {one}}} makes it one)"
                )
        return self

    def homes(self) -> dict[tuple[Entity, str], frozenset[str]]:
        """Field → the regions it may be written in, with groups written out: a part of an address takes the rest
        along."""
        found: dict[tuple[Entity, str], frozenset[str]] = {}
        for key, regions in self.stays_in.items():
            for where in _FIELDS[_PARTS.get(key, key)]:
                found[where] = found.get(where, frozenset(regions)) & frozenset(regions)
        return found


def _is_region(told: Any) -> bool:
    return isinstance(told, str) and A_REGION.fullmatch(told) is not None


def _reaching(key: str) -> str:
    """system.entity.field or system.entity.create."""
    system, entity, name = (*key.split("."), "", "")[:3]
    if key.count(".") != 2 or not system:
        raise ValueError(f"{key}: write system.entity.field, or system.entity.create for every new record")
    if entity not in GOLDEN:
        raise ValueError(f"{key}: there is no {entity} to be written; {meant(entity, GOLDEN)}")
    known = [*fields_of(Entity(entity)), CREATING]
    if name not in known:
        raise ValueError(f"{key} is no field; {meant(name, known)}")
    return key


def _words(key: str, told: Any) -> Any:
    words = [] if told in (None, "none") else [told] if isinstance(told, str) else told
    if not isinstance(words, list) or not all(isinstance(one, str) for one in words):
        raise ValueError(f"{key}: write a purpose, as marketing, or none")
    return words


# -- findings --------------------------------------------------------------------------------------------------------

Weight = Literal["high", "medium", "low"]


class Findings(_Section):
    """How much findings matter, who sees to them, and how many of them a run brings into one system.

    severity: kind, or system.kind → what it begins with. From high_money on it is high, below low_money it is one step
    less, from high_customers on one step more; a permission held against a no is always high. worth: currency → what
    one of it is in the currency of high_money and low_money; as much, where it is not named. owners: system, kind or
    system.kind → who sees to it, where the master's channels name nobody; the nearest holds. limit: so many groups a
    run brings into one system; the files have the rest. orders_from: the systems that are believed about orders on
    their way, the first that has one; of others their copies tell who delivers it.
    """

    severity: Mapping[str, Weight] = {}
    high_money: Decimal = Field(default=Decimal(1000), ge=0)
    low_money: Decimal = Field(default=Decimal(1), ge=0)
    high_customers: int = Field(default=50, ge=1)
    worth: Mapping[str, Annotated[Decimal, Field(gt=0)]] = {}
    owners: Mapping[str, str] = {}
    limit: int = Field(default=100, ge=1)
    orders_from: tuple[str, ...] = ()

    @field_validator("severity", mode="before")
    @classmethod
    def _of_kinds(cls, told: Any) -> Any:
        if not isinstance(told, Mapping):
            raise ValueError("write each below it, as price_differs: high")
        for key in told:
            kind = str(key).rpartition(".")[2]
            if kind not in FINDING_KINDS:
                raise ValueError(f"{key}: there is no kind {kind}; {meant(kind, FINDING_KINDS)}")
        return told

    @field_validator("worth")
    @classmethod
    def _of_currencies(cls, told: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
        for key in told:
            if not re.fullmatch("[A-Z]{3}", key):
                raise ValueError(f"{key}: write a currency by its code, as in SEK: 0.09")
        return told

    @field_validator("owners", mode="before")
    @classmethod
    def _of_systems(cls, told: Any) -> Any:
        if not isinstance(told, Mapping):
            raise ValueError("write each below it, as system.kind: who")
        for key in told:
            _system, dot, kind = str(key).partition(".")
            if dot and kind not in FINDING_KINDS:
                raise ValueError(f"{key}: there is no kind {kind}; {meant(kind, FINDING_KINDS)}")
        return told

    @model_validator(mode="after")
    def _money_in_order(self) -> Self:
        if self.low_money > self.high_money:
            raise ValueError("low_money must not be above high_money")
        return self


# -- systems ---------------------------------------------------------------------------------------------------------


class Writing(_Section):
    """What the hub may do by itself to the records of one entity in one system.

    create: whether customers the system does not know are made there. update: whether, and how, what differs is
    written; fields: the same for one field, or group of fields. delete: whether an undo may take away what the hub has
    made.
    """

    create: Literal["never", "if_missing"] = "never"
    update: Literal["always", "if_empty", "approve", "never"] = "always"
    delete: Literal["never", "own"] = "never"
    fields: Mapping[str, Literal["always", "if_empty", "approve", "never"]] = {}


def _writing_of(key: Any, told: Any) -> Any:
    """One entry of `write` as `Writing` takes it; ValueError where it can't be meant."""
    if key not in GOLDEN:
        raise ValueError(f"there is no {key} to be written; {meant(str(key), GOLDEN)}")
    if not isinstance(told, Mapping):
        raise ValueError(f"{key}: write create, update, delete or fields below it")
    for name in told:
        if name not in Writing.model_fields:
            raise ValueError(f"{key}: there is no such setting as {name}; {meant(str(name), Writing.model_fields)}")
    for name, word in told.items():
        many = name == "fields" and isinstance(word, Mapping)
        words = get_args(Writing.model_fields["update" if many else name].annotation)
        for field in word if many else ():
            _known_field(f"{key}.{field}")
        for where, one in word.items() if many else [("", word)]:
            if one not in words:
                says = (
                    f"write one of {', '.join(words)}" if many or name != "fields" else "write field: update below it"
                )
                raise ValueError(f"{key}.{f'{name}.{where}'.rstrip('.')}: {says}")
    return told


OWN_KEYS = ("enabled", "streams", "full_every_hours", "write", "report")
DECLARED_KEYS = (*OWN_KEYS, "connector", "title", "role", "master")


class System(_Section):
    """One system. `settings` are the connector's own, as the file has them.

    connector: the template, where the system is declared here alone; then `declared` has its streams, and title, role
    and master say what a connector says of itself.
    """

    enabled: bool = True
    streams: tuple[str, ...] | None = None  # None: all
    full_every_hours: float | None = Field(default=None, gt=0)
    write: Mapping[str, Writing] = {}  # entity → what may be done to its records without asking
    report: bool | None = None  # whether its people find their findings there; None: in the sandbox alone
    region: str = (
        ""  # where it keeps its data; what stays in a region is written to no system that is not told to be there
    )
    settings: Mapping[str, str] = {}
    connector: str = ""
    declared: Mapping[str, Any] = {}
    title: str = ""
    role: str = ""
    master: bool = False

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, given: Any) -> Any:
        if given is None:
            return {}
        if not isinstance(given, dict):
            raise ValueError("write its settings below it, indented, as key: value")
        keys = DECLARED_KEYS if "connector" in given else OWN_KEYS
        own = {key: value for key, value in given.items() if key in keys}
        if "connector" in own:
            own |= {"streams": None, "declared": _streams_of(given.get("streams"))}
        rest = {str(key): value for key, value in given.items() if key not in keys and value is not None}
        return own | {"settings": {key: _text(key, value) for key, value in rest.items()}}

    @field_validator("write", mode="before")
    @classmethod
    def _written_by_entity(cls, told: Any) -> Any:
        if not isinstance(told, Mapping):
            raise ValueError("write each below it, as contact: {create: if_missing}")
        return {key: _writing_of(key, one) for key, one in told.items()}


def _streams_of(given: Any) -> dict[str, Any]:
    if given is not None and not isinstance(given, dict):
        raise ValueError("streams: declare each below it, as name: {…}; the system says connector, so they are its own")
    return {str(name): declared for name, declared in (given or {}).items()}


Watched = Literal["runs", "plans", "systems", "findings"]
MAY_STAND = {Severity.HIGH: 0, Severity.MEDIUM: 100, Severity.LOW: 1000}
"""So many findings of a kind may stand before anybody is alerted."""


class Channel(_Section):
    """Where alerts go. Its address, as apprise writes it, is the variable OMNIHUB_ALERT_<NAME>: it holds secrets."""

    tells: tuple[Watched, ...] = get_args(Watched)


class Alerts(_Section):
    """Who is told when something changes for the worse, or is well again. limits: kind of findings, or a severity → so
    many may stand before that is said; the kind holds before its severity."""

    channels: Mapping[str, Channel] = {}
    limits: Mapping[str, Annotated[int, Field(ge=0)]] = {}
    link: str = ""  # where people read the report; goes along with each alert

    @field_validator("channels")
    @classmethod
    def _names(cls, channels: Mapping[str, Channel]) -> Mapping[str, Channel]:
        for name in channels:
            if not NAME.fullmatch(name):
                raise ValueError(f"{name}: write a name of small letters, digits and _, as it is part of a variable")
        return channels

    @field_validator("limits")
    @classmethod
    def _known(cls, limits: Mapping[str, int]) -> Mapping[str, int]:
        known = {*FINDING_KINDS, *(severity.value for severity in Severity)}
        for key in limits:
            if key not in known:
                raise ValueError(f"{key}: there is no such kind or severity; {meant(key, sorted(known))}")
        return limits

    def limit(self, kind: str) -> int:
        """How many findings of a kind may stand before that is said."""
        severity = FINDING_KINDS[kind].severity
        return self.limits.get(kind, self.limits.get(severity.value, MAY_STAND[severity]))


def _text(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ValueError(f"{key} takes one value, not {'a list' if isinstance(value, list) else 'keys of its own'}")


def alert_variable(channel: str) -> str:
    """The variable that holds the address of a channel of alerts."""
    return f"{PREFIX}ALERT_{channel.upper()}"


def without_password(url: str) -> str:
    """An address as it may be shown.

    >>> without_password("postgresql+psycopg://me:secret@db/erp?sslpassword=x")
    'postgresql+psycopg://me:…@db/erp'
    """
    return PASSWORD.sub(r"\1:…", url).partition("?")[0]


class Config(_Section):
    """All settings, checked. Paths are absolute; relative ones are taken from the folder of the file."""

    store: str = Field(default="", repr=False)  # may carry a password
    home: Path = Path(".omnihub")
    sandbox: bool = False
    default_country: str = Field(default="DE", pattern="^[A-Z]{2}$")
    time_zone: str = "Europe/Berlin"  # where the masters' days begin and end, and so their lists
    schedule: str = "0 * * * *"
    engine: Literal["duckdb", "spark"] = "duckdb"  # what weighs pairs when everything is matched anew
    systems: Mapping[str, System] = {}
    match: Match = Match()
    guard: Guard = Guard()
    gates: Gates = Gates()
    findings: Findings = Findings()
    alerts: Alerts = Alerts()
    survivorship: Survivorship = Survivorship()

    _environ: Mapping[str, str] = PrivateAttr(default_factory=dict)
    _file: str = PrivateAttr(FILE)
    _declared: Mapping[str, Connector] = PrivateAttr(default_factory=dict)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, given: str) -> str:
        if given not in available_timezones():
            raise ValueError(f"there is no time zone {given}; write it as in Europe/Berlin")
        return given

    @field_validator("store")
    @classmethod
    def _known_store(cls, store: str) -> str:
        if not STORE.match(store):
            raise ValueError("write sqlite:///path/hub.db or postgresql+psycopg://user@host/database")
        return store

    @field_validator("schedule")
    @classmethod
    def _is_cron(cls, schedule: str) -> str:
        if not CRON.fullmatch(schedule):
            raise ValueError("write five cron fields, as in 0 * * * * for every hour")
        return schedule

    @property
    def store_shown(self) -> str:
        """The store's URL without its password, for people and logs."""
        return without_password(self.store)

    def known(self, connectors: Mapping[str, Connector]) -> dict[str, Connector]:
        """These connectors, and the systems declared here alone."""
        return {**connectors, **self._declared}

    def enabled(self, connectors: Mapping[str, Connector]) -> dict[str, Connector]:
        """The systems that take part, each as the settings want it: with the streams to read, and how often whole.

        With the stand-ins off these are only the ones the settings name.
        """
        return {
            name: self._as_wanted(connector)
            for name, connector in self.known(connectors).items()
            if self._system(name).enabled and (self.sandbox or name in self.systems or self._url(name))
        }

    def _as_wanted(self, connector: Connector) -> Connector:
        """A stream that is not read is neither compared nor written: nobody would know what stands there now."""
        chosen, hours = self.streams(connector), self.full_every_hours(connector.name)
        streams = tuple(_read_every(s, hours) for s in connector.streams if s.name in chosen)
        return connector if streams == connector.streams else replace(connector, streams=streams)

    def in_sandbox(self, name: str) -> bool:
        """Whether the stand-in is meant, not the vendor."""
        return self.sandbox and name not in self._declared and not self._url(name)

    def streams(self, connector: Connector) -> tuple[str, ...]:
        """The streams to read. One that is nested in another comes along with it."""
        wanted = self._system(connector.name).streams
        chosen: list[str] = []
        for stream in connector.streams:
            if wanted is None or stream.name in wanted or (stream.nested and stream.nested.of in chosen):
                chosen.append(stream.name)
        return tuple(chosen)

    def regions(self) -> dict[str, str]:
        """System → where it keeps its data, of those that are told to be somewhere."""
        told = {name: system.settings.get(REGION, "").upper() for name, system in self.systems.items()}
        return {name: region for name, region in told.items() if region}

    def told(self, name: str) -> bool:
        """Whether findings are shown inside this system: in a stand-in, unless somebody says no; in a real system only
        where somebody has said so."""
        report = self._system(name).report
        return self.in_sandbox(name) if report is None else report

    def alert_addresses(self) -> dict[str, str]:
        """Channel of alerts → its address; empty where its variable is not set."""
        return {name: self._environ.get(alert_variable(name), "") for name in self.alerts.channels}

    def full_every_hours(self, name: str) -> float | None:
        """How often to read everything, where the settings say so."""
        return self._system(name).full_every_hours

    def settings_for(self, connector: Connector, standin: Mapping[str, str] | None = None) -> dict[str, str]:
        """The connector's settings, none missing. `standin`: URL and credentials of the running stand-in.

        ConfigError names the variable or key to set.
        """
        name = connector.name
        self.check({name: connector}, only=name)
        known = {setting.name for setting in connector.settings}
        told = {key: value for key, value in self._system(name).settings.items() if key != REGION or key in known}
        settings = {**told, **self._from_environment(connector)}
        if self.in_sandbox(name):
            if standin is None:
                raise ConfigError(
                    f"{name}: points to its stand-in, which is not running; start it with `omnihub up`, "
                    f"or set systems.{name}.url in {self._file}"
                )
            settings |= standin
        try:
            return complete(connector, settings)
        except ConfigError as error:
            raise ConfigError(f"{error}{self._misspelt(connector)}") from None

    def check(self, connectors: Mapping[str, Connector], only: str = "") -> None:
        """Hold the systems' settings against the connectors there are. ConfigError lists all that is wrong."""
        connectors = self.known(connectors)
        problems = [
            problem
            for name, system in self.systems.items()
            if only in ("", name)
            for problem in _system_problems(name, system, connectors)
        ]
        if not only:
            problems += _trust_problems(self.survivorship, connectors)
            problems += _gate_problems(self.gates, connectors)
            problems += _guard_problems(self.guard, connectors)
            problems += _finding_problems(self.findings, connectors)
            problems += _url_problems(self._environ, connectors)
        _refuse(self._file, problems)

    def _system(self, name: str) -> System:
        return self.systems.get(name) or System()

    def _url(self, name: str) -> str:
        return self._environ.get(_variable(name, "url")) or self._system(name).settings.get("url", "")

    def _from_environment(self, connector: Connector) -> dict[str, str]:
        values = {s.name: self._environ.get(_variable(connector.name, s.name), "") for s in connector.settings}
        return {name: value for name, value in values.items() if value}

    def _misspelt(self, connector: Connector) -> str:
        """A hint where the environment has a variable for this system that nobody reads."""
        known = {_variable(connector.name, setting.name) for setting in connector.settings}
        mine = _variable(connector.name, "")
        unread = sorted(name for name in self._environ if name.startswith(mine) and name not in known)
        return f"; {', '.join(unread)} is set, but {connector.title} has no such setting" if unread else ""


def load(
    path: Path | None = None,
    *,
    connectors: Mapping[str, Connector] | None = None,
    templates: Mapping[str, Template] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Config:
    """Read the settings. Without a `path`: OMNIHUB_CONFIG, else ./omnihub.yaml where there is one, else the defaults.

    With `connectors`, the systems are checked against them as well; with `templates`, the file may declare more.
    """
    environ = os.environ if environ is None else environ
    path = path or (Path(environ["OMNIHUB_CONFIG"]) if environ.get("OMNIHUB_CONFIG") else None)
    if path and not path.is_file():
        raise ConfigError(f"{path}: there is no such file; write one with `omnihub init`")
    path = path or Path(FILE)
    written = _read(path) if path.is_file() else {}
    folder = path.resolve().parent
    config = _validated(path.name, _completed(path.name, written, environ, folder), environ)
    config._declared = _declared(config, path, templates or {}, connectors or {})
    if connectors is not None:
        config.check(connectors)
    return config


def proposed(
    current: Survivorship, file: Path | None, words: Sequence[str], connectors: Mapping[str, Connector]
) -> Survivorship:
    """The survivorship as it would be: that of `file` (settings, or this section alone) in place of the current one,
    then each of `words` laid over it: `contact.phone=recent`, `trust.hubspot.phone=0.9`, `half_life_days=90`.

    ConfigError as for the file itself.
    """
    told = current.model_dump(exclude_defaults=True)
    if file:
        read = _read(file)
        told = read.get("survivorship", {}) if "survivorship" in read or not read.keys() & _ITS_KEYS else read
    for word in words:
        _lay(word, told)
    where = str(file.name) if file else "--set"
    made = _validated(where, {"survivorship": told}, {}).survivorship
    _refuse(where, _trust_problems(made, connectors))
    return made


_ITS_KEYS = frozenset(Survivorship.model_fields)


def _lay(word: str, told: dict[str, Any]) -> None:
    """`key=value` into the section: an entry of `rules` where the key names neither trust nor the half-life."""
    key, equals, text = (part.strip() for part in word.partition("="))
    if not equals or not key or not text:
        raise ConfigError(f"--set {word}: write entity.field=rule, trust.system=0.5 or half_life_days=90")
    try:
        value = yaml.load(text, _Loader)  # noqa: S506  a SafeLoader
    except yaml.YAMLError:
        raise ConfigError(f"--set {word}: what stands after = is no value; put it in quotes") from None
    of, _, rest = key.partition(".")
    if key == "half_life_days":
        told[key] = value
    elif of in ("trust", "rules"):
        told[of] = {**(told.get(of) or {}), rest: value}
    else:
        told["rules"] = {**(told.get("rules") or {}), key: value}


# -- reading ---------------------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML as usual, but a key written twice is refused instead of the last one winning in silence."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key} is written twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"{path.name}:{where}: {error.problem}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path.name}: cannot be read: {error}") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ConfigError(f"{path.name}: write settings as key: value; `omnihub init` writes an example")
    return {str(key): value for key, value in found.items() if value is not None}


def _completed(file: str, written: dict[str, Any], environ: Mapping[str, str], folder: Path) -> dict[str, Any]:
    """The file's keys with the environment laid over and the defaults that depend on others filled in."""
    if isinstance(written.get("store"), str) and PASSWORD.search(written["store"]):
        raise ConfigError(f"{file}: store: has a password; put the whole address into the variable OMNIHUB_STORE")
    data = dict(written)
    home = folder / str(environ.get("OMNIHUB_HOME") or written.get("home", ".omnihub"))
    data["home"] = home
    data["store"] = environ.get("OMNIHUB_STORE") or written.get("store", f"sqlite:///{home / 'hub.db'}")
    if isinstance(data["store"], str):
        data["store"] = _absolute(data["store"], folder)
    data.setdefault("sandbox", not any(_urls(written.get("systems"), environ)))
    return data


def _absolute(store: str, folder: Path) -> str:
    place = store.removeprefix("sqlite:///")
    relative = place != store and place and not place.startswith(("/", ":"))
    return f"sqlite:///{folder / place}" if relative else store


def _read_every(stream: Stream, hours: float | None) -> Stream:
    every = timedelta(hours=hours) if hours else None
    return replace(stream, full_every=every) if every and stream.pull else stream


def _urls(systems: Any, environ: Mapping[str, str]) -> Iterator[str]:
    """What makes the installation a real one; a declared system does, wherever its address stands."""
    yield from (value for name, value in environ.items() if URL_VARIABLE.fullmatch(name))
    for system in systems.values() if isinstance(systems, dict) else ():
        if isinstance(system, dict):
            yield from (str(system[key]) for key in ("url", "connector") if system.get(key))


def _validated(file: str, data: dict[str, Any], environ: Mapping[str, str]) -> Config:
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        _refuse(file, [_in_words(one) for one in error.errors(include_url=False)])
        raise  # never: _refuse had something to say
    config._environ, config._file = dict(environ), file
    return config


# -- systems declared here alone --------------------------------------------------------------------------------------


def _declared(
    config: Config, path: Path, templates: Mapping[str, Template], connectors: Mapping[str, Connector]
) -> dict[str, Connector]:
    """The systems the file declares, made by their templates. ConfigError lists all that is wrong, line by line."""
    made: dict[str, Connector] = {}
    troubles: list[tuple[Sequence[str | int], str]] = []
    for name, system in config.systems.items():
        if not system.connector:
            continue
        try:
            made[name] = _made(name, system, path.resolve().parent, templates, connectors)
        except Misdeclared as error:
            troubles += [(("systems", name, *place), says) for place, says in error.troubles]
    if troubles:
        marks = yaml.compose(path.read_text(encoding="utf-8"), _Loader)
        _refuse(path.name, [f"{_line(marks, place)}{'.'.join(map(str, place))}: {says}" for place, says in troubles])
    return made


def _made(
    name: str, system: System, folder: Path, templates: Mapping[str, Template], connectors: Mapping[str, Connector]
) -> Connector:
    template = templates.get(system.connector)
    if template is None:
        raise Misdeclared(
            [(("connector",), f"there is no template {system.connector}; {meant(system.connector, templates)}")]
        )
    if not NAME.fullmatch(name):
        raise Misdeclared([((), "name it with small letters, digits and _ only")])
    if name in connectors:
        raise Misdeclared([((), "is a connector that is there already; choose another name")])
    title = system.title or name.replace("_", " ").capitalize()
    return template.make(Declared(name, folder, system.declared, title, system.role or template.title, system.master))


def _line(node: yaml.Node | None, place: Sequence[str | int]) -> str:
    """Where in the file the innermost key stands that is there at all."""
    mark = None
    for part in place:
        below: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            below, mark = next(((v, k.start_mark) for k, v in node.value if k.value == str(part)), (None, mark))
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            below = node.value[part]
            mark = below.start_mark
        if below is None:
            break
        node = below
    return f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""


# -- what is wrong, in plain words -----------------------------------------------------------------------------------

_SECTIONS: dict[str, type[_Section]] = {
    "": Config,
    "guard": Guard,
    "alerts": Alerts,
    "survivorship": Survivorship,
    "match": Match,
    "gates": Gates,
}


def _in_words(error: ErrorDetails) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        before = key.rpartition(".")[0]
        known = [f"{before}.{name}".lstrip(".") for name in _SECTIONS.get(before, Thresholds).model_fields]
        return f"{key}: there is no such setting; {meant(key, known)}"
    says = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if error["type"] == "string_type" and isinstance(error["input"], bool):
        says += "; YAML reads no, yes, on and off as true or false: put it in quotes"
    # only short plain values are repeated: nothing that could be a secret or fill the screen
    shown = error["input"] if isinstance(error["input"], (bool, int, float)) else None
    return f"{key}: {says}" + (f" (is {shown})" if shown is not None else "")


def _system_problems(name: str, system: System, connectors: Mapping[str, Connector]) -> Iterator[str]:
    if name not in connectors:
        yield f"systems.{name}: there is no connector of this name; {meant(name, connectors)}"
        return
    connector = connectors[name]
    url = system.settings.get("url", "")
    if PASSWORD.search(url) or SECRET_IN_QUERY.search(url):
        yield f"systems.{name}.url: has a password; put the whole address into the variable {_variable(name, 'url')}"
    known = {setting.name: setting for setting in connector.settings}
    for key, value in system.settings.items():
        if key == REGION and key not in known:
            if not A_REGION.fullmatch(value):
                yield f"systems.{name}.{key}: write it in capitals, as EU"
        elif key not in known:
            keys = (*(DECLARED_KEYS if system.connector else OWN_KEYS), REGION)
            yield f"systems.{name}.{key}: there is no such setting; {meant(key, [*known, *keys])}"
        elif known[key].secret:
            yield (
                f"systems.{name}.{key}: is a secret and must not stand in a file; "
                f"delete it here and set the variable {_variable(name, key)}"
            )
    written = sorted({s.entity.value for s in connector.streams if s.push and not connector.master})
    for entity in system.write:
        if entity not in written:
            says = meant(entity, written) if written else "nothing is ever written there"
            yield f"systems.{name}.write.{entity}: {connector.title} has no {entity} to be written; {says}"
    offered = [stream.name for stream in connector.streams]
    for stream in system.streams or ():
        if stream not in offered:
            yield f"systems.{name}.streams: {connector.title} has no stream {stream}; {meant(stream, offered)}"


def _trust_problems(survivorship: Survivorship, connectors: Mapping[str, Connector]) -> Iterator[str]:
    for key in survivorship.trust:
        name = key.partition(".")[0]
        if name not in connectors:
            yield f"survivorship.trust.{key}: there is no system of this name; {meant(name, connectors)}"
    for key, told in survivorship.rules.items():
        for name in told.order:
            if name not in connectors:
                yield f"survivorship.rules.{key}.order: there is no system {name}; {meant(name, connectors)}"


def _gate_problems(gates: Gates, connectors: Mapping[str, Connector]) -> Iterator[str]:
    for key in gates.purposes:
        name = key.partition(".")[0]
        if name not in connectors:
            yield f"gates.purposes.{key}: there is no system of this name; {meant(name, connectors)}"


def _guard_problems(guard: Guard, connectors: Mapping[str, Connector]) -> Iterator[str]:
    known = [*connectors, *Entity]
    for key in guard.limits:
        name = key.partition(".")[0]
        if name not in known:
            yield f"guard.limits.{key}: there is no system or entity {name}; {meant(name, known)}"


def _finding_problems(findings: Findings, connectors: Mapping[str, Connector]) -> Iterator[str]:
    known = {*connectors, *FINDING_KINDS}
    for name, keys in (("severity", findings.severity), ("owners", findings.owners)):
        for key in keys:
            if (system := key.partition(".")[0]) not in known:
                yield f"findings.{name}.{key}: there is no system {system}; {meant(system, connectors)}"
    for system in findings.orders_from:
        if system not in connectors:
            yield f"findings.orders_from: there is no system {system}; {meant(system, connectors)}"


def _url_problems(environ: Mapping[str, str], connectors: Mapping[str, Connector]) -> Iterator[str]:
    """A URL for nobody would switch the stand-ins off and bring no system in their place."""
    known = [_variable(name, "url") for name in connectors]
    for name in environ:
        if URL_VARIABLE.fullmatch(name) and name not in known:
            yield f"the variable {name}: there is no such system; {meant(name, known)}"


def _refuse(file: str, problems: Iterable[str]) -> None:
    found = [f"{file}: {problem}" for problem in problems]
    if found:
        raise ConfigError("\n".join(found))


def _variable(system: str, setting: str) -> str:
    return f"{PREFIX}{system}_{setting}".upper()


# -- the file a person starts from -----------------------------------------------------------------------------------

_EXAMPLE = """\
# OmniHub's settings. Lines starting with `#key` show the value that holds while they are commented out.
# Secrets never stand here: they come from the environment, as OMNIHUB_<SYSTEM>_<SETTING>.

# Where the hub remembers. For production: postgresql+psycopg://user@host/database, in the variable OMNIHUB_STORE
# where it has a password.
#store: sqlite:///.omnihub/hub.db

# Everything else the hub writes: reports, stand-ins, Dagster's own store.
#home: .omnihub

# Stand-ins for the systems that have no `url`. Off by itself as soon as one system has a `url`; say true only if
# invented customers may meet real ones.
#sandbox: true

# Read phone numbers and addresses without a country as if they were from here.
#default_country: DE
# Where the days of your master data begin and end: the last day of a price list counts to midnight there.
#time_zone: Europe/Berlin

# When `sync` runs by itself (cron, UTC), once its schedule is switched on in Dagster.
#schedule: 0 * * * *

# Where pairs are weighed when everything is matched anew: on this machine, or, once that no longer holds some tens of
# millions of records, on Spark (install omnihub[spark]; which cluster is told in Spark's own configuration).
#engine: duckdb

# Bits of evidence: from `same` on two records are one customer, below `unsure` two; between, a steward is asked.
#match:
#  contact: {same: 11, unsure: 6}
#  account: {same: 9, unsure: 5}

# A plan that changes more than this, per system, entity and operation, waits for `omnihub approve`.
#guard:
#  max_share: 0.3         # of the records the system has
#  max_records: 100000    # whatever their share
#  first_run_share: 1.0   # instead of max_share while nothing was ever written there; first_run_records as well
#  floor: 20              # so few are always fine
#  max_emptied: 0         # fields that lose their value; max_deleted: records; max_loosened: consents that become yes
#  max_price_change: 0.2  # how far prices may move, but for price_share: 0.05 of them, or price_floor: 10
#  source_drop: 0.3       # what a source may lose at once, of its records or of the values of a field; 1 is off
#  source_floor: 10       # so few may go on any day, but never all
#  limits: {}             # of a system, an entity or a field; the nearest holds, as in
# | limits: {hubspot: {max_share: 0.1}, contact.email: {floor: 5}, portal.contact.phone: {max_records: 50}}

# What no plan holds, whoever approves it. Where a system keeps its data is told below it, as in region: EU.
#gates:
#  unknown_is_no: []      # [marketing]: only who has said yes is reached for it; else whoever said no is not
#  purposes: {}           # shopify.contact.email: marketing · hubspot.contact.phone: none
#  consents: {}           # what else a purpose is called in consents, as in newsletter: marketing
#  stays_in: {}           # contact.birth_date: [EU] · contact.address: [EU, CH]
#  fresh_minutes: 10      # consents read longer ago are read again before anything is written

# How much findings matter, and who sees to them where the master's channels name nobody.
#findings:
#  severity: {}           # of a kind, everywhere or in one system: value_invalid: medium · shopify.price_differs: high
#  high_money: 1000       # so much at stake is high; below low_money: 1 one step less
#  worth: {}              # what one of another currency is in that of high_money: SEK: 0.09 · USD: 0.93
#  high_customers: 50     # so many customers touched are one step more
#  owners: {}             # of a system, a kind, or both: shopify: web shop · hubspot.consent_conflict: data protection
#  limit: 100             # groups of findings a run brings into one system; the files have the rest
#  orders_from: []        # who is believed about orders on their way: [erp, shopify]; else who has what delivers them

# Who is told when a run goes wrong, a plan is stopped, a system can't be read or findings pass a limit; once, and once
# more when it is well again. The address of each is the variable OMNIHUB_ALERT_<NAME>, as apprise writes it:
# | mailto://user:password@example.com?to=it@example.com · slack://token/token/token · jsons://example.com/hook
#alerts:
#  channels: {}           # team: {} · shop: {tells: [systems, findings]}, of runs, plans, systems, findings
#  limits: {}             # so many findings may stand: high: 0, medium: 100, low: 1000, or of a kind: price_differs: 5
#  link: ""               # where people read the report

# Which member's value wins, by field or group of fields. The rules: trusted, recent, order, frequent, complete,
# strictest (permissions), master, union (fields that hold several values). `omnihub rules` shows the table that holds,
# `omnihub rules preview --set contact.phone=recent` what another one would change.
#survivorship:
#  rules:
#    contact.phone: recent
#    contact.address: {rule: trusted, half_life_days: 365}   # after so long without a change a value counts half
#    contact.consent: strictest
#  trust: {}              # system, or system.field: from 0 to 1; 1 is the default
#  half_life_days: 365

"""


_DECLARED = """\
# Folders of files and databases become systems here alone (connectors/files and connectors/database say it all):
# | partners: {connector: files, url: ./exports, outbox: ./to-partners, streams: {
# |   customers: {files: "c*.csv", entity: account, key: Id, map: {name: Company, phone: Phone}, push: [phone]}}}
# | erp: {connector: database, streams: {     its url with a password is the variable OMNIHUB_ERP_URL
# |   orders: {table: orders, key: id, updated: changed_at, entity: order, map: {number: nr, status: state}}}}
"""


def example(connectors: Mapping[str, Connector] | None = None) -> str:
    """A commented omnihub.yaml to start from, with the settings of these connectors."""
    return _EXAMPLE + "".join(_example_lines(connectors or {}))


_TOLD = """\
# report: true shows the people of a system, inside it, what they should put right there; an undo takes it back. Of a
# real system it is false until somebody says so; in a stand-in it is true.
"""

_WRITE = """\
# What may be written without asking, by entity. create: never | if_missing; update: always | if_empty | approve | never
# (for one field, too); delete: never | own (whether an undo may take away what the hub has made). First the defaults.
# | hubspot: {write: {contact: {create: if_missing, update: always, delete: own, fields: {phone: if_empty}}}}
"""


def _example_lines(connectors: Mapping[str, Connector]) -> Iterator[str]:
    if not connectors:
        return
    yield "# The systems. Each may also have enabled: false, streams: [only, these], full_every_hours: 24, region: EU\n"
    yield _DECLARED + _TOLD + _WRITE + "#systems:\n"
    for name, connector in connectors.items():
        yield f"# {connector.title}\n#  {name}:\n"
        for setting in connector.settings:
            if setting.secret:
                yield f"# ({setting.help}: a secret, set {_variable(name, setting.name)})\n"
            else:
                yield f"#    {setting.name}: {setting.default or '…'}   # {setting.help}\n"
