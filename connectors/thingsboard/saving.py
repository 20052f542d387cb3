"""How ThingsBoard is written: objects as a whole, as just read with the changes laid over them, at the version read.

So no field nobody here knows is lost, and nobody's edit either. It is also why a save whose answer got lost is not sent
again: it would meet its own version. Who has no id yet is made under a name that is unique there, and gets the hub's
key as a server attribute; a name that is taken by somebody else's record is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from connectors.thingsboard.attributes import HUB_ID, read_attributes, write_attributes
from omnihub.errors import BrokenAnswer, RejectedRecord, RetryableError
from omnihub.model import Outcome
from omnihub.sdk import Answer, Http, Row, exchange, words

NOBODY = "13814000-1dd2-11b2-8080-808080808080"  # the id ThingsBoard writes where there is no customer
VERSION_CONFLICT = "35"  # its error code; with which HTTP status it comes is less certain
NAME_TAKEN = "name_taken"


@dataclass(frozen=True)
class Kind:
    """One kind of object. by_name: the call that finds one by `name`, sent as the parameter `param`. least: what a new
    one has to have."""

    type: str
    stream: str
    path: str
    by_name: str
    param: str
    name: str
    least: Mapping[str, Any] = field(default_factory=dict)


CUSTOMER = Kind(
    "CUSTOMER", "customers", "/api/customer", "/api/tenant/customers", "customerTitle", "title", least={"email": ""}
)
DEVICE = Kind("DEVICE", "devices", "/api/device", "/api/tenant/devices", "deviceName", "name")


def laid_over(present: Any, changes: Any) -> Any:
    """The present with the changes in it, also those deep inside.

    >>> laid_over({"a": 1, "info": {"b": 2, "c": 3}}, {"info": {"c": 4}})
    {'a': 1, 'info': {'b': 2, 'c': 4}}
    """
    if not isinstance(present, dict) or not isinstance(changes, Mapping):
        return changes
    return {**present, **{name: laid_over(present.get(name), value) for name, value in changes.items()}}


def save(kind: Kind) -> Callable[[Http, Sequence[Row]], Iterable[Answer]]:
    """Write objects one by one."""

    def send(http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        for row in rows:
            yield _saved(http, kind, row)

    return send


def _saved(http: Http, kind: Kind, row: Row) -> Answer:
    return told(http, kind, row, http.post(kind.path, json=laid_over(row.raw, row.body)))


def told(http: Http, kind: Kind, row: Row, answer: requests.Response) -> Answer:
    """What the answer to a save says of a row."""
    seen = exchange(answer)
    code = "" if answer.ok else code_of(answer.content)
    if answer.status_code == 409 or code == VERSION_CONFLICT:
        return Answer(row.n, Outcome.DRIFTED, row.id, code, "changed there in the meantime", seen)
    if answer.status_code == 404 and row.id:
        return Answer(row.n, Outcome.DRIFTED, row.id, code, "deleted there in the meantime", seen)
    try:
        http.refuse(answer, record=f"thingsboard/{kind.stream}/{row.id or row.key}")
    except RejectedRecord as no:
        return Answer(row.n, Outcome.REFUSED, row.id, code, words(no.body), seen)
    return Answer(row.n, Outcome.WRITTEN, row.id or id_of(answer), exchange=seen)


def code_of(body: bytes) -> str:
    """ThingsBoard's own error code."""
    try:
        return str(json.loads(body).get("errorCode", ""))
    except (ValueError, AttributeError):
        return ""


def id_of(answer: requests.Response) -> str:
    """The id of the object in an answer."""
    try:
        return str(answer.json()["id"]["id"])
    except (ValueError, KeyError, TypeError):
        raise BrokenAnswer("thingsboard: what was saved came back without an id") from None


# -- devices: whose one is, is changed by a call of its own ------------------------------------------------------------


def save_devices(http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
    """Write devices one by one: the device at its version, then whose it is."""
    for row in rows:
        yield _save_device(http, row)


def _save_device(http: Http, row: Row) -> Answer:
    owner = row.body.get("customerId", {}).get("id")
    if owner and owner != NOBODY and not http.get(f"/api/customer/{owner}").ok:
        return Answer(row.n, Outcome.REFUSED, row.id, "no_such_customer", "there is no such customer there")
    rest = {name: value for name, value in row.body.items() if name != "customerId"}
    try:
        saved = told(http, DEVICE, row, http.post(DEVICE.path, json=laid_over(row.raw, rest)))
    except RetryableError:  # it may have been saved all the same, and then it still has to be given to its customer
        present = http.get_ok(f"{DEVICE.path}/{row.id}")
        if laid_over(present.json(), rest) != present.json():
            raise
        saved = Answer(row.n, Outcome.WRITTEN, row.id, exchange=exchange(present))
    if saved.outcome is not Outcome.WRITTEN or owner is None:
        return saved
    return told(http, DEVICE, row, _assigned(http, str(saved.id), owner))


def _assigned(http: Http, device: str, owner: str) -> requests.Response:
    if owner == NOBODY:
        return http.request("DELETE", f"/api/customer/device/{device}")
    return http.request("POST", f"/api/customer/{owner}/device/{device}", safe=True)


# -- making ------------------------------------------------------------------------------------------------------------


def create(kind: Kind) -> Callable[[Http, Sequence[Row]], Iterable[Answer]]:
    """Make objects, known from then on by `Row.key`: sent twice, they are made once."""

    def send(http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        least = dict(kind.least) if kind is not DEVICE else {"deviceProfileId": _default_profile(http)}
        for row in rows:
            yield _created(http, kind, row, least)

    return send


def _default_profile(http: Http) -> Any:
    """The profile of devices nobody chose one for."""
    answer = http.get_ok("/api/deviceProfiles", params={"pageSize": 100, "page": 0})
    found = [profile["id"] for profile in answer.json()["data"] if profile.get("default")]
    if not found:
        raise BrokenAnswer("thingsboard: no device profile is the default one; make one the default there")
    return found[0]


def _created(http: Http, kind: Kind, row: Row, least: Mapping[str, Any]) -> Answer:
    body = {name: value for name, value in row.body.items() if name != "customerId"}
    body[kind.name] = body.get(kind.name) or row.key  # who has no name is called by their key: one there must be
    params = {"nameConflictPolicy": "FAIL"}
    made = http.post(kind.path, json={**least, **body}, params=params)  # not repeated: it would meet itself
    if made.status_code == 400 and (present := _named(http, kind, str(body.get(kind.name, "")))) is not None:
        return _there_already(http, kind, row, body, present, made)
    answer = told(http, kind, row, made)
    if answer.outcome is Outcome.WRITTEN:
        _finish(http, kind, row, str(answer.id))
    return answer


def _there_already(
    http: Http, kind: Kind, row: Row, body: Mapping[str, Any], present: Any, refused: requests.Response
) -> Answer:
    """One of this name exists. It is ours if it has our key, or none yet and is just what we were about to make."""
    id_ = str(present["id"]["id"])
    key = read_attributes(http, kind.type, [id_], [HUB_ID]).get(id_, {}).get(HUB_ID, "")
    if key != row.key and (key or laid_over(present, body) != present):
        said = "another record has this name already"
        return Answer(row.n, Outcome.REFUSED, None, NAME_TAKEN, said, exchange(refused))
    _finish(http, kind, row, id_)
    return Answer(row.n, Outcome.WRITTEN, id_, exchange=exchange(refused))


def _finish(http: Http, kind: Kind, row: Row, id_: str) -> None:
    write_attributes(http, kind.type, id_, {HUB_ID: row.key})
    owner = row.body.get("customerId", {}).get("id")
    if owner and owner != NOBODY:
        http.refuse(_assigned(http, id_, owner), record=f"thingsboard/{kind.stream}/{id_}")


def _named(http: Http, kind: Kind, name: str) -> Any:
    answer = http.get(kind.by_name, params={kind.param: name})
    return None if answer.status_code == 404 else http.refuse(answer).json()


# -- alarms ------------------------------------------------------------------------------------------------------------


def raise_alarms(http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
    """Raise alarms. One of the same type about the same device is the same alarm until it is cleared, so that raising
    it again does no harm."""
    for row in rows:
        alarm = laid_over({"severity": "WARNING", "originator": {"entityType": "DEVICE"}}, row.body)
        yield told(http, ALARM, row, http.request("POST", ALARM.path, json=complete(alarm), safe=True))


def save_alarms(http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
    """Change alarms that are there; `cleared` clears one."""
    for row in rows:
        rest = {name: value for name, value in row.body.items() if name != "cleared"}
        answer = None
        if rest:
            alarm = complete(laid_over(row.raw, rest))
            answer = told(http, ALARM, row, http.request("POST", ALARM.path, json=alarm, safe=True))
        if (answer is None or answer.outcome is Outcome.WRITTEN) and row.body.get("cleared"):
            answer = clear_alarm(http, row)
        yield answer or Answer(row.n, Outcome.WRITTEN, row.id)


def complete(alarm: dict[str, Any]) -> dict[str, Any]:
    """With what the contract wants of every alarm."""
    rest = {"acknowledged": False, "cleared": False, "name": alarm.get("type", ""), "status": "ACTIVE_UNACK"}
    return {**rest, **alarm}


def clear_alarm(http: Http, row: Row) -> Answer:
    """Clear an alarm; one that is cleared already is as good."""
    answer = http.request("POST", f"{ALARM.path}/{row.id}/clear", safe=True)
    if answer.status_code == 400 and http.get_ok(f"{ALARM.path}/{row.id}").json().get("cleared"):
        return Answer(row.n, Outcome.WRITTEN, row.id, "already", "it is cleared already", exchange(answer))
    return told(http, ALARM, row, answer)


ALARM = Kind("ALARM", "alarms", "/api/alarm", "", "", "")
