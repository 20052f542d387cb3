"""Writing to HubSpot: batches whose rows are answered one by one, links, and records made by a key of ours.

    update   links first (batch/create), then values (batch/update), then the links they replace (batch/archive)
    create   batch/upsert by `hub_ext_id`, then links
    find     batch/read by `hub_ext_id`

Each input carries its place in the plan as `objectWriteTraceId`: with it HubSpot answers for each row (207), without it
one bad row fails all. Answers are joined by it, by id or by key, and never by their order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.hubspot.client import Client, Sent
from omnihub.errors import BrokenAnswer, ConfigError, RejectedRecord, RetryableError
from omnihub.sdk import Answer, Exchange, Outcome, Page, Record, Row, exchange, value_at, words

BATCH = 100  # inputs of one call; HubSpot refuses more
EXTERNAL_ID = "hub_ext_id"  # a property with unique values that holds the key of what the hub created

# How a row ends, where its error does not simply mean refused.
ENDS: Mapping[str, Outcome] = dict.fromkeys(("OBJECT_LOCKED", "RATE_LIMITS", "INTERNAL_ERROR"), Outcome.DEFERRED)

Said = tuple[str, str]
"""The category and the message of an error."""


@dataclass(frozen=True)
class PrimaryLink:
    """A property that shows a link to the one object of another type that counts most, as a contact's company.

    It is written as the association it is. Setting it moves the link: the one it showed before goes.
    """

    property: str
    to: str
    type_id: int

    def wanted(self, row: Row) -> bool:
        """Whether a row wants the link set, moved or taken away."""
        return self.property in row.body.get("properties", {})

    def new(self, row: Row) -> str | None:
        """The id to link to, None to take the link away."""
        id_ = row.body["properties"][self.property]
        return None if id_ in (None, "") else str(id_)

    def old(self, row: Row) -> str | None:
        """The id that is linked now, as just looked at."""
        held = row.raw.get("properties", {}) if isinstance(row.raw, Mapping) else {}
        return str(held[self.property]) if held.get(self.property) else None


@dataclass(frozen=True)
class Writing:
    """How objects of one type are written."""

    type: str
    link: PrimaryLink | None = None

    def update(self, client: Client, rows: Sequence[Row]) -> Iterator[Answer]:
        """Change objects by id. A row whose link is refused is not written at all."""
        for some in _apart(rows, lambda row: str(row.id)):
            no = {a.n: a for a in self._linked(client, [(row, str(row.id)) for row in some])}
            yield from no.values()
            rest = [row for row in some if row.n not in no]
            told = [*self._written(client, [row for row in rest if self._values(row)])]
            told += [Answer(row.n, Outcome.WRITTEN, row.id) for row in rest if not self._values(row)]
            good = {a.n for a in told if a.outcome is Outcome.WRITTEN}
            self._unlinked(client, [row for row in rest if row.n in good])
            yield from told

    def create(self, client: Client, rows: Sequence[Row]) -> Iterator[Answer]:
        """Make objects, or find them made: sent twice, a row makes one."""
        for some in _apart(rows, lambda row: row.key):
            told = [*self._upserted(client, some)]
            made = {a.n: a.id for a in told if a.outcome is Outcome.WRITTEN and a.id}
            no = {a.n: a for a in self._linked(client, [(row, str(made[row.n])) for row in some if row.n in made])}
            yield from (no.get(a.n, a) for a in told)

    def _values(self, row: Row) -> dict[str, str]:
        """The properties to set. HubSpot's values are texts, and the empty one clears."""
        link = self.link.property if self.link else ""
        return {
            name: "" if value is None else value
            for name, value in row.body.get("properties", {}).items()
            if name != link
        }

    # -- values

    def _written(self, client: Client, rows: Sequence[Row]) -> Iterable[Answer]:
        inputs = [{"id": row.id, "objectWriteTraceId": str(row.n), "properties": self._values(row)} for row in rows]
        return _each(rows, inputs, client, lambda body: client.batch.update(self.type, body, _preload_content=False))

    def _upserted(self, client: Client, rows: Sequence[Row]) -> Iterable[Answer]:
        inputs = [
            {
                "id": row.key,
                "idProperty": EXTERNAL_ID,
                "objectWriteTraceId": str(row.n),
                "properties": {**self._values(row), EXTERNAL_ID: row.key},
            }
            for row in rows
        ]
        return _each(rows, inputs, client, lambda body: self._by_key(client, body))

    def _by_key(self, client: Client, body: Mapping[str, Any]) -> Sent:
        try:
            answer: Sent = client.batch.upsert(self.type, body, _preload_content=False)
        except RejectedRecord as no:
            raise (_key_missing(self.type) if _about_key(no.status, no.body) else no) from None
        if answer.status == 207 and _about_key(400, answer.data) and not value_at(answer.data, "results", list[Any]):
            raise _key_missing(self.type)
        return answer

    # -- links

    def _linked(self, client: Client, rows: Sequence[tuple[Row, str]]) -> Iterator[Answer]:
        """Set the links that are wanted. Answers only for those that were refused."""
        link = self.link
        if link is None:
            return
        pairs = {(id_, new): row for row, id_ in rows if link.wanted(row) and (new := link.new(row))}
        if not pairs:
            return
        kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": link.type_id}
        inputs = [{"from": {"id": one}, "to": {"id": other}, "types": [kind]} for one, other in pairs]
        try:
            answer = client.links.create(self.type, link.to, {"inputs": inputs}, _preload_content=False)
        except RejectedRecord as no:
            if len(pairs) > 1:
                raise
            [(pair, row)] = pairs.items()
            yield _refused(row, (_category(no), words(no.body)), exchange(client.http.last()))
            return
        body, said = _body(answer, "associations"), exchange(answer.response)
        done = {(str(result["fromObjectId"]), str(result["toObjectId"])) for result in body["results"]}
        for pair, row in pairs.items():
            if pair in done:
                continue
            error = _error_about(body, "fromObjectId", pair[0])
            if error is None:
                raise RetryableError(f"hubspot: no answer about the link of {self.type} {row.id}; look before going on")
            yield _refused(row, error, said)

    def _unlinked(self, client: Client, rows: Sequence[Row]) -> None:
        """Take away the links that were replaced. Once more does no harm."""
        link = self.link
        if link is None:
            return
        gone = [
            {"from": {"id": str(row.id)}, "to": [{"id": old}]}
            for row in rows
            if link.wanted(row) and (old := link.old(row)) and old != link.new(row)
        ]
        if gone:
            client.links.archive(self.type, link.to, {"inputs": gone}, _preload_content=False)


def find(
    client: Client,
    type_: str,
    properties: Sequence[str],
    keys: Sequence[str],
    read: Callable[[bytes], Sequence[Record]],
) -> Iterator[Page]:
    """The present state of the objects made with these keys; what is missing was not made."""
    for start in range(0, len(keys), BATCH):
        inputs = [{"id": key} for key in keys[start : start + BATCH]]
        body = {"idProperty": EXTERNAL_ID, "properties": [*properties, EXTERNAL_ID], "inputs": inputs}
        try:
            answer = client.batch.read(type_, body, _preload_content=False)
        except RejectedRecord as no:
            raise (_key_missing(type_) if _about_key(no.status, no.body) else no) from None
        yield Page(exchange(answer.response), read(answer.data))


def _about_key(status: int, body: bytes) -> bool:
    """Whether this is refused because the account does not have the key."""
    return status == 400 and EXTERNAL_ID.encode() in body and bool(re.search(rb"unique|exist", body))


def _key_missing(type_: str) -> ConfigError:
    return ConfigError(
        f"hubspot: {type_} of this account have no property {EXTERNAL_ID} with unique values; create it as a "
        "single-line text, and switch on that its values are unique"
    )


# -- answers ---------------------------------------------------------------------------------------------------------


def _apart(rows: Sequence[Row], by: Callable[[Row], str]) -> list[list[Row]]:
    """The rows in rounds, none of which has an id (or a key) twice: HubSpot refuses such a batch."""
    rounds: list[dict[str, Row]] = []
    for row in rows:
        free = next((r for r in rounds if by(row) not in r), None)
        if free is None:
            rounds.append(free := {})
        free[by(row)] = row
    return [list(r.values()) for r in rounds]


def _each(
    rows: Sequence[Row], inputs: Sequence[Mapping[str, Any]], client: Client, send: Callable[[dict[str, Any]], Sent]
) -> list[Answer]:
    """Send a batch; an answer for each row."""
    if not rows:
        return []
    try:
        answer = send({"inputs": list(inputs)})
    except RejectedRecord as no:
        if len(rows) > 1:
            raise
        return [_refused(rows[0], (_category(no), words(no.body)), exchange(client.http.last()))]
    body, said = _body(answer, "a batch"), exchange(answer.response)
    trouble, done = _trouble(body), _done(body)
    return [_answer(row, trouble, done, said) for row in rows]


def _answer(
    row: Row, trouble: Mapping[tuple[str, str], Said], done: Mapping[tuple[str, str], str], said: Exchange
) -> Answer:
    names = [("row", str(row.n)), ("id", str(row.id) if row.id else row.key)]
    if error := next((trouble[name] for name in names if name in trouble), None):
        return _refused(row, error, said)
    id_ = next((done[name] for name in names if name in done), None)
    if id_ is None:
        raise RetryableError(f"hubspot: a batch did not answer for {row.id or 'a new record'}; look before going on")
    return Answer(row.n, Outcome.WRITTEN, row.id or id_, exchange=said)


def _done(body: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """("row", trace id) and ("id", object id or key) → object id of each object written."""
    found: dict[tuple[str, str], str] = {}
    for result in body["results"]:
        id_ = str(result["id"])
        found["id", id_] = id_
        if key := (result.get("properties") or {}).get(EXTERNAL_ID):
            found["id", key] = id_
        if trace := result.get("objectWriteTraceId"):
            found["row", str(trace)] = id_
    return found


def _trouble(body: Mapping[str, Any]) -> dict[tuple[str, str], Said]:
    """("row", trace id) or ("id", object id or key) → (category, message) of each error."""
    found: dict[tuple[str, str], Said] = {}
    for error in body.get("errors", ()):
        context = error.get("context") or {}
        named = [("row", key) for key in context.get("objectWriteTraceId", ())]
        named = named or [("id", key) for name in ("ids", "id") for key in context.get(name, ())]
        found |= dict.fromkeys(named, _said(error))
    return found


def _error_about(body: Mapping[str, Any], name: str, value: str) -> Said | None:
    """The error whose context names this; one that names nothing is about whatever is missing."""
    for error in body.get("errors", ()):
        about = (error.get("context") or {}).get(name)
        if about is None or value in about:
            return _said(error)
    return None


def _said(error: Mapping[str, Any]) -> Said:
    return str(error.get("category", "")), str(error.get("message", ""))


def _body(answer: Sent, what: str) -> dict[str, Any]:
    try:
        body = json.loads(answer.data)
        if isinstance(body.get("results"), list):
            return dict(body)
    except (ValueError, AttributeError):
        pass
    raise RetryableError(f"hubspot: the answer to {what} is cut short; look before trying again")


def _refused(row: Row, error: Said, said: Exchange) -> Answer:
    return Answer(row.n, ENDS.get(error[0], Outcome.REFUSED), row.id, *error, said)


def _category(no: RejectedRecord) -> str:
    try:
        return str(value_at(no.body, "category") or no.status)
    except BrokenAnswer:
        return str(no.status)
