"""Record what a real system answers, without anybody's data, so that a pull can be tested against what was really said.

    record(connector, settings, folder, pages=2)    a file a stream: its exchanges, in their order

Kept as it is: what the connector's declaration names (codes, states, parameters), times, flags, small numbers, and the
values of kinds that are nobody's own (money, currency, country, SKU …). Every other text and every long number is
replaced by one of the same shape, the same one wherever the same value stands: ids still point to each other, and a
cursor in an answer is still the one in the next call. With what key values are replaced is never kept. Logins are not
recorded; of headers only those that say how to go on are.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import re
import secrets
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import requests

from omnihub.errors import ConfigError
from omnihub.model import Kind, fields_of
from omnihub.sdk.auth import ApiKey
from omnihub.sdk.connector import Connector, Stream
from omnihub.sdk.fieldmap import Const
from omnihub.sdk.page import Want
from omnihub.sdk.session import complete, open_http

HERE = "https://recorded.invalid"  # stands for the system's own address
KEPT_HEADERS = ("content-type", "link", "etag", "retry-after", "last-modified")
NOBODYS = frozenset({
    Kind.SKU, Kind.SKUS, Kind.GTIN, Kind.MONEY, Kind.QUANTITY, Kind.PERCENT, Kind.CURRENCY, Kind.LANGUAGE, Kind.COUNTRY,
    Kind.DATE, Kind.TIME, Kind.BOOLEAN, Kind.WEIGHT,
})  # fmt: skip
LONG = 10_000  # a number from here on may be an id, a phone number, an account
TRIES = 100  # to find a value that stands for no other yet
LOOKED_AT = 2  # records that are also looked at by their id

TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s?(Z|[+-]\d\d:?\d\d)?")
DATE = re.compile(r"\d{4}-\d\d-\d\d")
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
URL = re.compile(r"https?://\S+")
LINK = re.compile(r"<([^>]+)>")
WORD = re.compile(r"[A-Za-z_-]+|v\d+|\d{1,4}([.-]\d+)*")  # a part of a path that is no id
PRECISE = re.compile(r"\.\d{4,}")  # so many places has nothing but where somebody lives
TIMES = re.compile(r"(_at|At|_on|On|[tT]ime|[dD]ate|[sS]tamp|_ts|_ms|\bts|\bat|created|updated|modified|since|until)$")
NUMBER = re.compile(r'"\\u0000([^"\\]*)\\u0000"')


@dataclass(frozen=True)
class Kept:
    """What was recorded of a stream."""

    stream: str
    file: Path
    exchanges: int
    records: int
    replaced: int
    remarks: tuple[str, ...] = ()


def record(
    connector: Connector,
    given: Mapping[str, str],
    folder: Path,
    pages: int = 2,
    streams: Sequence[str] = (),
    now: datetime | None = None,
) -> Iterator[Kept]:
    """Read the first pages of each stream and look at a few of its records; yields a report when a file is written."""
    if connector.open is not None:
        raise ConfigError(f"{connector.name}: is not called over HTTP, so there is nothing to record")
    settings, at = complete(connector, given), now or datetime.now(UTC)
    http = open_http(connector, given)
    heard = _Heard(connector)
    http.hooks["response"].append(heard)
    client = connector.connect(settings, http)
    fakes = Fakes(connector, settings)
    for stream in connector.streams:
        if stream.pull is None or (streams and stream.name not in streams):
            continue
        heard.answers.clear()
        found = [*islice(stream.pull(client, Want(since=None, complete=True, now=at)), pages)]
        ids = [r.id for page in found for r in page.records if r.id is not None][:LOOKED_AT]
        if stream.push and ids:
            for _ in stream.push.look(client, ids):
                pass
        before = fakes.replaced
        exchanges, remarks = _exchanges(fakes, stream, heard.answers, http.base_url)
        file = folder / connector.name / f"{stream.name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "system": connector.name,
            "stream": stream.name,
            "recorded_at": at.isoformat(),
            "pages": len(found),
            "exchanges": exchanges,
        }
        file.write_text(dumped(content, indent=1) + "\n", encoding="utf-8")
        count = sum(len(page.records) for page in found)
        yield Kept(stream.name, file, len(exchanges), count, fakes.replaced - before, tuple(remarks))


class _Heard:
    """What was answered to calls that carried our credentials; how those were got is not for keeping."""

    def __init__(self, connector: Connector) -> None:
        auth = connector.auth
        self.header = "" if auth is None or isinstance(auth, ApiKey) else getattr(auth, "header", "Authorization")
        self.login = str(getattr(auth, "path", "") or "")
        self.answers: list[requests.Response] = []

    def __call__(self, answer: requests.Response, *_: Any, **__: Any) -> None:
        path = urlsplit(answer.request.url or "").path
        signed = not self.header or self.header in answer.request.headers
        told = answer.status_code < 400 or answer.status_code in (404, 410)  # what was asked again is told then
        if told and signed and not (self.login and path.endswith(urlsplit(self.login).path)):
            self.answers.append(answer)


def _exchanges(
    fakes: Fakes, stream: Stream, answers: Sequence[requests.Response], base: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """The exchanges as they may be kept. Answers first: only what came out of them is replaced in what was asked."""
    found, remarks = [], []
    fakes.visited |= {part for a in answers for part in urlsplit(a.request.url or "").path.split("/")}
    for answer in answers:
        try:
            found.append((answer, fakes.replace(stream, parsed(answer.content), base)))
        except ValueError:
            kind = answer.headers.get("Content-Type", "something without a type")
            remarks.append(f"{fakes.path_asked(answer, base)} answered {kind}; only JSON is kept")
    return [_exchange(fakes, answer, body, base) for answer, body in found], remarks


def _exchange(fakes: Fakes, answer: requests.Response, body: Any, base: str) -> dict[str, Any]:
    request = answer.request
    query = parse_qsl(urlsplit(request.url or "").query, keep_blank_values=True)
    sent = request.body.decode() if isinstance(request.body, bytes) else request.body
    kept = {
        "method": request.method,
        "path": fakes.path_asked(answer, base),
        "query": [[name, fakes.asked(value)] for name, value in query if name != fakes.key_param],
        "status": answer.status_code,
        "headers": {n: fakes.links(v, base) if n.lower() == "link" else v for n, v in _kept_headers(answer)},
        "body": body,
    }
    if isinstance(sent, str) and sent:
        kept["sent"] = fakes.sent(parsed(sent.encode()))
    return kept


def _kept_headers(answer: requests.Response) -> Iterator[tuple[str, str]]:
    for name, value in answer.headers.items():
        if name.lower() in KEPT_HEADERS or "ratelimit" in name.lower().replace("-", ""):
            yield name, value


# -- fakes -----------------------------------------------------------------------------------------------------------


@dataclass
class Fakes:
    """Values of the same shape in place of somebody's, the same one for the same value."""

    connector: Connector
    settings: Mapping[str, str]
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    replaced: int = 0

    def __post_init__(self) -> None:
        self.known = frozenset(_literals(self.connector.streams))
        self.words = {part for one in self.known if one.startswith("/") for part in urlsplit(one).path.split("/")}
        self.visited: set[str] = set()  # parts of the paths that were called
        self.given: dict[str, str] = {}  # what was replaced in answers
        self._taken: set[str] = set()
        auth = self.connector.auth
        self.key_param = auth.param if isinstance(auth, ApiKey) else ""
        named = {s.name for s in self.connector.settings if s.secret}
        self.secrets = tuple(v for n, v in self.settings.items() if n in named and v)

    # -- answers ------------------------------------------------------------------------------------------------------

    def replace(self, stream: Stream, document: Any, base: str) -> Any:
        """A document with whatever may be somebody's replaced."""
        known = fields_of(stream.entity)
        kinds = {w.path.lstrip("^"): known[n].kind for n, w in stream.fields.items() if not isinstance(w, Const)}
        return self._walk(document, "", kinds, base)

    def _walk(self, value: Any, path: str, kinds: Mapping[str, Kind], base: str) -> Any:
        if isinstance(value, dict):
            return {self._name(n): self._walk(v, f"{path}.{n}" if path else n, kinds, base) for n, v in value.items()}
        if isinstance(value, list):
            return [self._walk(v, path, kinds, base) for v in value]
        kind = next((k for p, k in kinds.items() if path == p or path.endswith(f".{p}")), None)
        if kind in NOBODYS or value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return value if _is_harmless(value, path) else int(self._noted(str(value)))
        if value.startswith("\0"):
            return f"\0{self._noted(value[1:-1])}\0" if PRECISE.search(value) else value
        return self._noted(value) if value and kind not in (None, Kind.LINK, Kind.CODE) else self._text(value, base)

    def _name(self, name: str) -> str:
        """Some systems name the parts of an object by ids, or by addresses."""
        return self._noted(name) if EMAIL.search(name) or UUID.search(name) or re.search(r"\d{5,}", name) else name

    def _text(self, value: str, base: str) -> str:
        if not value or value in self.known or TIME.fullmatch(value) or _is_small(value):
            return value
        return self._url(value, base) if URL.fullmatch(value) else self._noted(value)

    def links(self, header: str, base: str) -> str:
        """A Link header."""
        return LINK.sub(lambda found: f"<{self._url(found[1], base)}>", header)

    def _url(self, url: str, base: str) -> str:
        """An address of the system's own keeps what it is for: its path as far as it was called or declared."""
        parts = urlsplit(url)
        own = parts.netloc == urlsplit(base).netloc
        path = parts.path.removeprefix(urlsplit(base).path.rstrip("/")) if own else parts.path
        kept = [(k, self._sent_on(v)) for k, v in parse_qsl(parts.query) if k != self.key_param]
        query = f"?{urlencode(kept)}" if kept else ""
        return f"{HERE if own else 'https://elsewhere.invalid'}{self._path(path, own)}{query}"

    def _sent_on(self, value: str) -> str:
        ours = value in self.known or _is_small(value) or TIME.fullmatch(value)
        return value if ours else self._noted(value)

    def _path(self, path: str, own: bool) -> str:
        parts = []
        for part in path.split("/"):
            word = (
                own
                and part not in self.given
                and (part in self.words or (part in self.visited and WORD.fullmatch(part)))
            )
            parts.append(part if word or not part else self._noted(part))
        return "/".join(parts)

    def _noted(self, value: str) -> str:
        """The value that stands for this one, from now on and for no other."""
        if value not in self.given:
            made, tries = fake(value, self.key), 0
            while (made in self._taken or made == value) and tries < TRIES:
                tries += 1
                made = fake(value, self.key + tries.to_bytes(2, "big"))
            self._taken.add(made)
            self.given[value] = made
        self.replaced += 1
        return self.given[value]

    # -- what was asked -----------------------------------------------------------------------------------------------

    def path_asked(self, answer: requests.Response, base: str) -> str:
        """The path of a call, below the system's address."""
        path = urlsplit(answer.request.url or "").path.removeprefix(urlsplit(base).path.rstrip("/"))
        return "/".join(self.given.get(unquote(part), part) for part in path.split("/"))

    def asked(self, value: str) -> str:
        """A value that was sent: what came out of an answer as it stands there now, a list of ids part by part."""
        if value in self.given:
            return self.given[value]
        if any(secret in value for secret in self.secrets):
            return "…"
        return ",".join(self.given.get(part, part) for part in value.split(",")) if "," in value else value

    def sent(self, value: Any) -> Any:
        """A body that was sent."""
        if isinstance(value, dict):
            return {name: self.sent(v) for name, v in value.items()}
        if isinstance(value, list):
            return [self.sent(v) for v in value]
        return self.asked(value) if isinstance(value, str) else value


def fake(value: str, key: bytes) -> str:
    """A value of the same shape: letters for letters, digits for digits, everything else as it is.

    >>> fake("Anna Müller-Lang", b"k") == fake("Anna Müller-Lang", b"k")
    True
    >>> [len(fake(v, b"k")) for v in ("+49 30 123456", "7f", "x")]
    [13, 2, 1]
    """
    dice = _dice(value, key)
    if EMAIL.fullmatch(value):
        return f"{fake(value.partition('@')[0], key)}@example.com"
    if DATE.fullmatch(value):
        return f"{1950 + next(dice) % 50}-{1 + next(dice) % 12:02}-{1 + next(dice) % 28:02}"
    hexes = UUID.fullmatch(value) is not None
    made = [_like(letter, next(dice), n, hexes) for n, letter in enumerate(value)]
    if value.startswith("+"):
        made[:3] = value[:3]  # a phone number stays in its country
    return "".join(made)


def _like(letter: str, chance: int, place: int, hexes: bool) -> str:
    if hexes and letter in string.hexdigits:
        found = "0123456789abcdef"[chance % 16]
        return found.upper() if letter.isupper() else found
    if letter.isdigit():
        return str(chance % 10 if place else 1 + chance % 9)
    if letter.isalpha():
        found = string.ascii_lowercase[chance % 26]
        return found.upper() if letter.isupper() else found
    return letter


def _dice(value: str, key: bytes) -> Iterator[int]:
    n = 0
    while True:
        yield from hmac.digest(key, f"{n} {value}".encode(), hashlib.sha256)
        n += 1


def _is_harmless(value: int, path: str) -> bool:
    """A small number; or a time in seconds or milliseconds of our days, at a name that says so."""
    seconds = value / 1000 if abs(value) > 10**11 else value
    return abs(value) < LONG or (1_000_000_000 <= seconds <= 2_500_000_000 and TIMES.search(path) is not None)


def _is_small(value: str) -> bool:
    return value.isdigit() and int(value) < LONG


def _literals(value: Any) -> Iterator[str]:
    """Every text a declaration says itself."""
    if isinstance(value, str):
        yield value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for one in dataclasses.fields(value):
            yield from _literals(getattr(value, one.name))
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _literals(name)
            yield from _literals(one)
    elif isinstance(value, list | tuple | frozenset | set):
        for one in value:
            yield from _literals(one)


# -- JSON, with decimals as they were written ------------------------------------------------------------------------


def parsed(body: bytes) -> Any:
    """A JSON document; 1.50 stays 1.50. ValueError where it is none."""
    return json.loads(body or b"null", parse_float=lambda text: f"\0{text}\0")


def dumped(document: Any, indent: int | None = None) -> str:
    """The same document as text."""
    separators = None if indent else (",", ":")
    return NUMBER.sub(r"\1", json.dumps(document, ensure_ascii=False, indent=indent, separators=separators))
