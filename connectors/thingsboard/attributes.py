"""What ThingsBoard keeps beside its objects: attributes, which the server's side may set, and telemetry.

Attributes are read for a hundred objects with one query, not object by object, and merged key by key when written.

    device_attributes = Stream(pull=Attributes("DEVICE", ("warranty",)), key="entityId.id",
                               map={"…": "latest.SERVER_ATTRIBUTE.warranty.value"}, push=Push(update=….save, …))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from omnihub.errors import RejectedRecord
from omnihub.model import Outcome
from omnihub.sdk import Answer, Http, Look, Page, Record, Row, Want, exchange, records, value_at, words

HUB_ID = "hubId"  # the server attribute that holds the key of what the hub made
SCOPE, PLACE = "SERVER_SCOPE", "SERVER_ATTRIBUTE"  # the same thing, where it is written and where it is read
QUERY_SIZE = 100  # entities a query shows at most
POINTS = 1_000  # points of telemetry a call; without a limit it would be 100
LATE = timedelta(hours=1)  # devices that were offline send what they measured then


def _query(kind: str, keys: Sequence[str], page: int, ids: Sequence[str] = (), wanted: Sequence[str] = ()) -> Any:
    """Entities with their attributes: of these ids, or whose hub id is one of those wanted, or all."""
    named = {"type": "entityList", "entityType": kind, "entityList": list(ids)}
    oldest_first = {"key": {"type": "ENTITY_FIELD", "key": "createdTime"}, "direction": "ASC"}
    return {
        "entityFilter": named if ids else {"type": "entityType", "entityType": kind},
        "keyFilters": [_is_one_of(wanted)] if wanted else [],
        "entityFields": [{"type": "ENTITY_FIELD", "key": "name"}],
        "latestValues": [{"type": PLACE, "key": key} for key in keys],
        "pageLink": {"pageSize": QUERY_SIZE, "page": page, "sortOrder": oldest_first},
    }


def _is_one_of(wanted: Sequence[str]) -> dict[str, Any]:
    each = [{"type": "STRING", "operation": "EQUAL", "value": {"defaultValue": key}} for key in wanted]
    any_of = each[0] if len(each) == 1 else {"type": "COMPLEX", "operation": "OR", "predicates": each}
    return {"key": {"type": PLACE, "key": HUB_ID}, "valueType": "STRING", "predicate": any_of}


@dataclass(frozen=True)
class Attributes:
    """Some server attributes of every object of a kind, as a stream: one record an object."""

    kind: str
    keys: tuple[str, ...]

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        """All of them: nothing tells which changed."""
        yield from self._pages(http)

    def look(self, http: Http, ids: Sequence[str]) -> Iterator[Page]:
        """Those of some objects."""
        for start in range(0, len(ids), QUERY_SIZE):
            yield from self._pages(http, ids[start : start + QUERY_SIZE])

    def save(self, http: Http, rows: Sequence[Row]) -> Iterable[Answer]:
        """Write the changed ones; the others stay as they are."""
        for row in rows:
            held = row.body.get("latest", {}).get(PLACE, {})
            try:
                write_attributes(http, self.kind, str(row.id), {k: v["value"] for k, v in held.items()})
            except RejectedRecord as no:
                yield Answer(row.n, Outcome.REFUSED, row.id, str(no.status), words(no.body), exchange(http.last()))
                continue
            yield Answer(row.n, Outcome.WRITTEN, row.id, exchange=exchange(http.last()))

    def _pages(self, http: Http, ids: Sequence[str] = (), wanted: Sequence[str] = ()) -> Iterator[Page]:
        number, more = 0, True
        while more:
            asked = _query(self.kind, self.keys, number, ids, wanted)
            answer = http.refuse(http.request("POST", "/api/entitiesQuery/find", json=asked, safe=True))
            found = records(answer.content, "data", key="entityId.id")
            more = bool(value_at(answer.content, "hasNext")) and bool(found)
            yield Page(exchange(answer), found, complete=not more and not ids and not wanted)
            number += 1


def read_attributes(http: Http, kind: str, ids: Sequence[str], keys: Sequence[str]) -> dict[str, dict[str, str]]:
    """id → key → value, as text."""
    return {
        str(record.id): {k: v["value"] for k, v in (value_at(record.raw, f"latest.{PLACE}") or {}).items()}
        for page in Attributes(kind, tuple(keys)).look(http, ids)
        for record in page.records
    }


def write_attributes(http: Http, kind: str, id_: str, values: Mapping[str, Any]) -> None:
    """Set some server attributes of an object; what is None is taken away."""
    place = f"/api/plugins/telemetry/{kind}/{id_}"
    kept = {key: value for key, value in values.items() if value is not None}
    gone = [key for key, value in values.items() if value is None]
    if kept:
        http.refuse(http.request("POST", f"{place}/attributes/{SCOPE}", json=kept, safe=True), record=id_)
    if gone:
        http.refuse(http.request("DELETE", f"{place}/{SCOPE}", params={"keys": ",".join(gone)}), record=id_)


def find(kind: str, look: Look) -> Look:
    """The objects that hold these keys of the hub, as `look` shows them."""

    def found(http: Http, keys: Sequence[str]) -> Iterator[Page]:
        for start in range(0, len(keys), QUERY_SIZE):
            pages = Attributes(kind, (HUB_ID,))._pages(http, wanted=keys[start : start + QUERY_SIZE])
            ids = [str(r.id) for page in pages for r in page.records]
            if ids:
                yield from look(http, ids)

    return found


@dataclass(frozen=True)
class Telemetry:
    """What devices measured, point by point, with numbers as numbers. One record a point: `<device>/<key>/<time>`."""

    keys: tuple[str, ...]
    size: int = POINTS

    def points(self, http: Http, device: str, start: int, end: int) -> Iterator[Page]:
        """The points of one device between two times in milliseconds, oldest first. A key at a time: together they
        would share a limit, and the one that has fewer would be read past."""
        for key in self.keys:
            yield from self._of_key(http, device, key, start, end)

    def _of_key(self, http: Http, device: str, key: str, start: int, end: int) -> Iterator[Page]:
        while start < end:
            span = {"keys": key, "startTs": start, "endTs": end, "limit": self.size}
            shape = {"agg": "NONE", "orderBy": "ASC", "useStrictDataTypes": "true"}
            place = f"/api/plugins/telemetry/DEVICE/{device}/values/timeseries"
            answer = http.get_ok(place, params={**span, **shape})
            slices = (value_at(answer.content, "", dict[str, list[msgspec.Raw]]) or {}).get(key, [])
            found = [_point(device, key, n, bytes(raw)) for n, raw in enumerate(slices)]
            if found:
                yield Page(exchange(answer), found)
            if len(found) < self.size:
                return
            start = int(found[-1].updated or 0) + 1

    def __call__(self, http: Http, want: Want) -> Iterator[Page]:
        """The points of all devices since the cursor; those that arrive later than `LATE` are the blind spot."""
        now = int(want.now.timestamp() * 1000)
        start = int(want.since) if want.since and not want.complete else 0
        for page in Attributes("DEVICE", ())(http, want):
            for record in page.records:
                yield from self.points(http, str(record.id), start, now + 1)
        reached = max(start, now - int(LATE.total_seconds() * 1000))
        yield Page(exchange(http.last()), [], cursor=str(reached))


def _point(device: str, key: str, n: int, raw: bytes) -> Record:
    at = str(value_at(raw, "ts"))
    return Record(id=f"{device}/{key}/{at}", raw=raw, pointer=f"/{key}/{n}", updated=at)
