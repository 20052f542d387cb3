"""Is a connector declared soundly? All that is wrong with it, before anything is called: which stream, which key, what
was meant.

    troubles(connector)    everything wrong with a connector, in the order of its declaration

What is wrong can be seen here without the file it was written in; where in the file it stands is found by
`omnihub.sdk.lines`. Python functions in place of a declared value are taken on trust.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from zoneinfo import available_timezones

from omnihub.model import fields_of
from omnihub.sdk.auth import ApiKey, Basic, Bearer, ClientCredentials, Header, JwtBearer, LoginToken, Refresh
from omnihub.sdk.connector import CREATING, Connector, Push, Stream
from omnihub.sdk.declared import meant
from omnihub.sdk.fieldmap import Codes, Const, FullName, Link, Only, Path
from omnihub.sdk.graphql import GraphByIds, GraphPages, GraphSend
from omnihub.sdk.jobs import Export, SendJob
from omnihub.sdk.limits import Bucket, Concurrency, Limit, Penalty, Quota
from omnihub.sdk.paging import Cursor, Keyset, NextUrl, Number, Offset
from omnihub.sdk.reading import ByIdBatch, ByIds, ByKeys, Pages
from omnihub.sdk.writing import Delete1, Erase1, Link1, Send1, SendBatch, Sends, Upsert1, UpsertBatch

NAME = re.compile(r"[a-z][a-z0-9_]*")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong. key: the dotted keys down to it, as in `push.fields`. word: what is wrongly written, as
    it stands in the file."""

    stream: str
    key: str
    word: str
    says: str

    def __str__(self) -> str:
        return f"{'.'.join(filter(None, (self.stream, self.key)))}: {self.says}"


Found = Iterator[Trouble]


def _trouble(key: str, word: object, says: str) -> Trouble:
    return Trouble("", key, str(word), says)


def _within(key: str, found: Iterable[Trouble]) -> Found:
    """The same troubles, seen from one level up."""
    for one in found:
        yield replace(one, key=f"{key}.{one.key}" if one.key else key)


def troubles(connector: Connector) -> list[Trouble]:
    """Everything that is wrong with a connector; an empty list where it is sound."""
    found = [*_of_connector(connector)]
    for stream in connector.streams:
        found += [replace(one, stream=stream.name) for one in _of_stream(stream, connector)]
    return found


# -- the connector ---------------------------------------------------------------------------------------------------


def _of_connector(connector: Connector) -> Found:
    if not NAME.fullmatch(connector.name):
        yield _trouble("name", connector.name, "write small letters, digits and _ only: settings are found by it")
    for name, times in Counter(s.name for s in connector.streams).items():
        if times > 1:
            yield _trouble("streams", name, f"there are {times} streams named {name}; refs are found by that name")
        if not re.fullmatch(r"\w[\w-]*", name):
            yield _trouble("streams", name, f"{name!r} is no name for a stream: write letters, digits, _ and - only")
    for name, times in Counter(s.name for s in connector.settings).items():
        if times > 1:
            yield _trouble("settings", name, f"there are {times} settings named {name}")
        if not NAME.fullmatch(name):
            yield _trouble("settings", name, f"{name!r} is no name for a setting: write small letters, digits and _")
    known = [setting.name for setting in connector.settings]
    if connector.open is None and connector.streams and "url" not in known:
        yield _trouble("settings", "url", 'where does it answer? Add Setting("url", "where it answers")')
    for setting in dict.fromkeys(_settings_of(connector.auth)):
        if setting not in known:
            yield _trouble("auth", setting, f"there is no setting {setting}; {meant(setting, known)}")
    for rule in connector.limits:
        yield from _within("limits", _of_rule(rule, known))


def _settings_of(auth: object) -> list[str]:
    """The names of the settings a way to sign reads."""
    if isinstance(auth, Bearer | Header | ApiKey):
        return [auth.setting]
    if isinstance(auth, Basic):
        return [*_placeholders(auth.user), auth.password]
    if isinstance(auth, ClientCredentials):
        return [auth.client_id, auth.client_secret, *_placeholders(auth.path)]
    if isinstance(auth, Refresh):
        return [auth.refresh_token, auth.client_id, *filter(None, [auth.client_secret]), *_placeholders(auth.path)]
    if isinstance(auth, LoginToken):
        return [*auth.send.values(), *_placeholders(auth.path)]
    if isinstance(auth, JwtBearer):
        templates = (auth.path, auth.issuer, auth.subject, auth.audience)
        return [auth.key, *filter(None, [auth.key_id]), *(name for one in templates for name in _placeholders(one))]
    return []


def _of_rule(rule: object, settings: Sequence[str]) -> Found:
    if isinstance(rule, Limit | Concurrency | Quota) and rule.calls < 1:
        yield _trouble("calls", rule.calls, "must be at least 1")
    if isinstance(rule, Limit) and rule.per_s <= 0:
        yield _trouble("per_s", rule.per_s, "must be more than 0 seconds")
    if isinstance(rule, Bucket) and (rule.points <= 0 or rule.restores_per_s <= 0):
        yield _trouble("points", rule.points, "points and what flows back must be more than 0")
    if isinstance(rule, Limit | Concurrency | Quota | Bucket | Penalty) and rule.path:
        try:
            re.compile(rule.path)
        except re.error as error:
            yield _trouble("path", rule.path, f"{rule.path!r} is no regular expression: {error}")
    if isinstance(rule, Quota):
        asked = _placeholders(rule.zone)
        for name in asked:
            if name not in settings:
                yield _trouble("zone", rule.zone, f"there is no setting {name}; {meant(name, settings)}")
        if not asked and rule.zone not in available_timezones():
            yield _trouble("zone", rule.zone, f"{rule.zone!r} is no time zone; write one like Europe/Berlin")


# -- a stream --------------------------------------------------------------------------------------------------------


def _of_stream(stream: Stream, connector: Connector) -> Found:
    names = [s.name for s in connector.streams]
    known, nested = fields_of(stream.entity), stream.nested is not None
    for name, where in stream.fields.items():
        if name not in known:
            yield _trouble(f"map.{name}", name, f"{stream.entity} has no field {name}; {meant(name, known)}")
        yield from _within(f"map.{name}", _of_place(where, names, nested))
    if (stream.pull is None) != nested:
        both = "pull and nested" if nested else "neither pull nor nested"
        yield _trouble("pull", "", f"says {both}; its records come from one of them")
    if stream.nested:
        yield from _within("nested", _of_nested(stream, names))
    yield from _path("key", stream.key, upwards=nested)
    yield from _path("updated", stream.updated, upwards=nested)
    if stream.blind and stream.full_every is None:
        yield _trouble("blind", stream.blind, "say how often to read everything for it: full_every=timedelta(days=1)")
    if stream.full_every is not None and stream.full_every <= timedelta(0):
        yield _trouble("full_every", "", "must be more than no time at all")
    yield from _within("pull", _of_value(stream.pull, stream))
    if stream.push:
        yield from _within("push", _of_push(stream, stream.push, connector))


def _of_place(where: Path, streams: Sequence[str], nested: bool) -> Found:
    if not isinstance(where, Const):
        yield from _path("", where.path, upwards=nested, needed=True)
    if isinstance(where, Link) and where.stream not in streams:
        says = f"there is no stream {where.stream}" if where.stream else "say in which stream: Link(…, stream=…)"
        yield _trouble("stream", where.stream, f"{says}; {meant(where.stream, streams)}")
    if isinstance(where, Codes) and not where.codes:
        yield _trouble("codes", "", "has no codes; write them, or the path alone")
    if isinstance(where, Only) and not where.second:
        yield _trouble(
            "", where.path, f"{where.path!r} names no list; write the place of its first, as in taxes.0.rate"
        )
    if isinstance(where, FullName) and where.part not in ("first", "last"):
        yield _trouble("part", where.part, f"{where.part!r} is no part of a name; write first or last")


def _of_nested(stream: Stream, streams: Sequence[str]) -> Found:
    assert stream.nested
    of = stream.nested.of
    if of not in streams:
        yield _trouble("of", of, f"there is no stream {of}; {meant(of, streams)}")
    elif of == stream.name:
        yield _trouble("of", of, "a stream cannot be nested in itself")
    yield from _path("path", stream.nested.path, needed=True)


def _of_push(stream: Stream, push: Push, connector: Connector) -> Found:
    fields = stream.fields
    if connector.master:
        yield _trouble("", "", "a master is never written; take the push out, or master=True")
    if not push.fields:
        yield _trouble("fields", "", "names no field; without one nothing is ever written")
    for name in push.fields:
        if name not in fields:
            yield _trouble("fields", name, f"{name} is not in the map; {meant(name, fields)}")
        elif not fields[name].writable:
            yield _trouble("fields", name, f"{name} is {type(fields[name]).__name__} in the map: read, never written")
        elif fields[name].path.startswith("^"):
            yield _trouble("fields", name, f"{name} stands in the parent's record, which is not written from here")
        elif fields[name].path == stream.key:
            yield _trouble("fields", name, f"{name} is the key of the record, which is never written")
        yield from _whole_name(name, push, stream)
    for name, times in Counter(push.fields).items():
        if times > 1:
            yield _trouble("fields", name, f"names {name} {times} times")
    written = [*push.fields, *push.given, CREATING]
    for name in push.purposes or {}:
        if name not in written:
            yield _trouble("purposes", name, f"{name} is not written; {meant(name, written)}")
    for name, longest in push.max_length.items():
        if name not in fields:
            yield _trouble("max_length", name, f"{name} is not in the map; {meant(name, fields)}")
        if longest < 1:
            yield _trouble("max_length", name, f"{name}: must be at least 1 character")
    counts = {"batch": push.batch, "parallel": push.parallel}
    if push.many:
        counts |= {"many.batch": push.many.batch, "many.parallel": push.many.parallel, "many.above": push.many.above}
    for key, count in counts.items():
        if count < 1:
            yield _trouble(key, count, f"must be at least 1, is {count}")
    ways = {name: getattr(push, name) for name in ("update", "look", "create", "find", "delete", "erase")}
    if push.many:
        ways["many.send"] = push.many.send
    for key, way in ways.items():
        yield from _within(key, _of_value(way, stream))


def _whole_name(name: str, push: Push, stream: Stream) -> Found:
    """Half of a name that is one text would wipe the other half."""
    where = stream.fields.get(name)
    if not isinstance(where, FullName):
        return
    for other, there in stream.fields.items():
        if isinstance(there, FullName) and there.path == where.path and other not in push.fields:
            yield _trouble("fields", name, f"{name} and {other} are one text at {where.path}: write both or neither")


# -- the declared values: each kind has its check --------------------------------------------------------------------

ROW = ("id", "key", "parent")


def _of_value(value: object, stream: Stream) -> Found:
    check = CHECKS.get(type(value))
    if check:
        yield from check(value, stream)


def _pages(value: Pages, stream: Stream) -> Found:
    yield from _address("path", value.path)
    yield from _method(value.method, ("GET", "POST"))
    yield from _paths(value, "items", "key", "updated", "merged_into", "keep", "total")
    yield from _path("deleted", (value.deleted or "").partition("=")[0])
    yield from _since(value.since)
    if value.since and not value.updated and not value.keep:
        says = "no cursor can be kept: name the time of change (updated=…), or the system's own cursor (keep=…)"
        yield _trouble("since", next(iter(value.since)), says)
    yield from _within("next", _of_way(value))


def _of_way(pages: Pages) -> Found:
    way = pages.next
    if isinstance(way, Cursor):
        yield from _path("path", way.path, needed=True)
        yield from _path("more", way.more)
    if isinstance(way, NextUrl):
        yield from _path("path", way.path, needed=True)
    if isinstance(way, Offset | Keyset) and way.size < 1:
        yield _trouble("size", way.size, f"must be at least 1, is {way.size}")
    if isinstance(way, Offset) and way.size >= 1 and not 0 <= way.lap < max(2, way.size):
        yield _trouble("lap", way.lap, f"must be less than a page of {way.size}, is {way.lap}")
    if isinstance(way, Number):
        yield from _path("more", way.more)
        yield from _path("pages", way.pages)
    if isinstance(way, Keyset) and not pages.updated:
        yield _trouble("", "", "goes on by the time of change: say where it stands, Pages(…, updated=…)")


def _graph_pages(value: GraphPages, stream: Stream) -> Found:
    yield from _address("path", value.path)
    yield from _paths(value, "items", "key", "updated", "merged_into")
    yield from _since(value.since)
    if value.since and not value.updated:
        yield _trouble("since", next(iter(value.since)), "no cursor can be kept: name the time of change (updated=…)")
    if value.size < 1:
        yield _trouble("size", value.size, f"must be at least 1, is {value.size}")


def _export(value: Export, stream: Stream) -> Found:
    yield from _within("start", _address("path", value.start.path))
    yield from _within("poll", _address("path", value.poll.path, known=("job",), needs=("job",)))
    if value.result.startswith("/"):
        yield from _address("result", value.result, known=("job",), needs=("job",))
    yield from _paths(value, "job", "updated", "merged_into")
    yield from _since(value.since)


def _by_ids(value: ByIds, stream: Stream) -> Found:
    yield from _address("path", value.path, known=("id", "key"), needs=("id", "key"))
    yield from _paths(value, "key", "updated", "item")


def _by_id_batch(value: ByIdBatch, stream: Stream) -> Found:
    yield from _address("path", value.path)
    yield from _method(value.method, ("GET", "POST"))
    yield from _paths(value, "items", "key", "updated")
    if value.size < 1:
        yield _trouble("size", value.size, f"must be at least 1, is {value.size}")


def _by_keys(value: ByKeys, stream: Stream) -> Found:
    yield from _address("path", value.path, known=("key",), needs=() if value.param else ("key",))
    yield from _paths(value, "items", "external", "item", "key", "updated")


def _graph_by_ids(value: GraphByIds, stream: Stream) -> Found:
    yield from _address("path", value.path)
    if f"${value.ids}" not in value.query:
        yield _trouble("query", value.ids, f"the query takes no variable ${value.ids}")


def _send1(value: Send1, stream: Stream) -> Found:
    yield from _method(value.method, METHODS[1:])
    yield from _address("path", value.path, known=ROW, needs=() if value.whole else ROW)
    yield from _paths(value, "etag", "item", "version", "errors", "code", "message")
    for path in value.read_only:
        yield from _path("read_only", path)


def _send_batch(value: SendBatch, stream: Stream) -> Found:
    yield from _method(value.method, METHODS[1:])
    yield from _address("path", value.path)
    yield from _paths(value, "results", "by", "at", "status", "ok", "code", "message", "id")


def _send_job(value: SendJob, stream: Stream) -> Found:
    yield from _send_batch_like(value)
    yield from _within("poll", _address("path", value.poll.path, known=("job",), needs=("job",)))
    yield from _address("result", value.result, known=("job",), needs=("job",)) if value.result else ()


def _send_batch_like(value: SendJob) -> Found:
    yield from _method(value.method, METHODS[1:])
    yield from _address("path", value.path)
    yield from _paths(value, "results", "by", "at", "status", "ok", "code", "message", "id", "job", "external")


def _upsert1(value: Upsert1, stream: Stream) -> Found:
    yield from _method(value.method, METHODS[1:])
    yield from _address("path", value.path, known=ROW, needs=() if value.external else ("key",))
    yield from _paths(value, "external", "id", "errors", "code", "message")


def _upsert_batch(value: UpsertBatch, stream: Stream) -> Found:
    yield from _send_batch(value, stream)
    yield from _path("external", value.external, needed=True)


def _link1(value: Link1, stream: Stream) -> Found:
    yield from _address("path", value.path, known=(*ROW, "other"), needs=("other",))
    fields = stream.fields
    if value.link not in fields:
        yield _trouble("link", value.link, f"{value.link} is not in the map; {meant(value.link, fields)}")
    elif not isinstance(fields[value.link], Link):
        links = [name for name, where in fields.items() if isinstance(where, Link)]
        yield _trouble("link", value.link, f"{value.link} is no Link in the map; {meant(value.link, links)}")


def _sends(value: Sends, stream: Stream) -> Found:
    for link in value.links:
        yield from _within("links", _link1(link, stream))
    yield from _within("rest", _of_value(value.rest, stream))


def _delete1(value: Delete1, stream: Stream) -> Found:
    yield from _method(value.method, METHODS[1:])
    yield from _address("path", value.path, known=ROW, needs=ROW)
    yield from _path("etag", value.etag)


def _erase1(value: Erase1, stream: Stream) -> Found:
    yield from _method(value.method, METHODS[1:])
    yield from _address("path", value.path, known=("id",), needs=("id",))


def _graph_send(value: GraphSend, stream: Stream) -> Found:
    yield from _address("path", value.path)
    if not callable(value.variables):
        for text in _texts(value.variables):
            for name in _placeholders(text):
                if name not in (*ROW, "body"):
                    yield _trouble("variables", text, f"{{{name}}} is filled by nothing; {meant(name, (*ROW, 'body'))}")


CHECKS: Mapping[type[object], Callable[[Any, Stream], Found]] = {
    Pages: _pages,
    GraphPages: _graph_pages,
    Export: _export,
    ByIds: _by_ids,
    ByIdBatch: _by_id_batch,
    ByKeys: _by_keys,
    GraphByIds: _graph_by_ids,
    Send1: _send1,
    SendBatch: _send_batch,
    SendJob: _send_job,
    Upsert1: _upsert1,
    UpsertBatch: _upsert_batch,
    Link1: _link1,
    Sends: _sends,
    Delete1: _delete1,
    Erase1: _erase1,
    GraphSend: _graph_send,
}
"""Exactly these kinds: a connector's own subclass may give a path or a template another meaning."""


# -- words, paths, templates -----------------------------------------------------------------------------------------


def _since(since: Mapping[str, str]) -> Found:
    for name, template in since.items():
        others = [other for other in _placeholders(template) if other != "since"]
        for other in others:
            yield _trouble(f"since.{name}", template, f"{{{other}}} is filled by nothing; did you mean {{since}}?")
        if not others and "since" not in _placeholders(template):
            yield _trouble(f"since.{name}", template, "has no {since}: each pull would ask for the same")


def _address(key: str, path: str, known: Sequence[str] = (), needs: Sequence[str] = ()) -> Found:
    """known: the placeholders there are. needs: those of which one must stand there."""
    if not path.startswith(("/", "https://", "http://")):
        yield _trouble(key, path, f"{path!r} must begin with a slash: it is joined to the url")
    found = _placeholders(path)
    for name in found:
        if name not in known:
            told = meant(name, known) if known else "write the address out"
            yield _trouble(key, path, f"{{{name}}} is filled by nothing; {told}")
    if needs and all(name in known for name in found) and not set(needs) & set(found):
        yield _trouble(key, path, f"says nothing of which record: write {{{needs[0]}}} where it stands in the address")


def _method(method: str, known: Sequence[str]) -> Found:
    if method not in known:
        yield _trouble("method", method, f"{method!r} is no method here; {meant(method, known)}")


def _paths(value: object, *names: str) -> Found:
    for name in names:
        yield from _path(name, getattr(value, name) or "")


def _path(key: str, path: str, *, upwards: bool = False, needed: bool = False) -> Found:
    """A dotted path: `a.0.b`, with `^` before it where the parent's record is meant."""
    if not path:
        if needed:
            yield _trouble(key, "", "says no path")
        return
    if path.startswith("^") and not upwards:
        yield _trouble(key, path, f"{path!r}: only a nested stream has a parent to look into")
    plain = re.sub(r"\[(\d+)\]", r".\1", re.sub(r"^\$\.?", "", path)).replace("/", ".").strip(".")
    if path.startswith(("$.", "/")) or re.search(r"\[\d+\]", path):
        yield _trouble(key, path, f"{path!r} is no dotted path; did you mean {plain}?")
    elif any(not part for part in path.removeprefix("^").split(".")):
        better = ".".join(filter(None, path.split(".")))
        yield _trouble(key, path, f"{path!r} has a dot too many; did you mean {better}?")


def _placeholders(template: str) -> list[str]:
    """The names in braces.

    >>> _placeholders("/v1/{id}/x/{other}")
    ['id', 'other']
    """
    try:
        return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    except ValueError:  # a single brace
        return ["…"]


def _texts(template: object) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, Mapping):
        for value in template.values():
            yield from _texts(value)
    elif isinstance(template, list | tuple):
        for value in template:
            yield from _texts(value)
