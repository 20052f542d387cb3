"""Draft a connector: as much of a file as a document says, the rest marked as a guess or as something to do.

    draft(name, document)    from an OpenAPI 3 document
    skeleton(name)           from nothing: a commented file to fill in

Either is a whole connector: it loads, and has a stand-in it can be tried on. `# guess:` stands where the document says
it only by a name, `# todo:` where it says nothing.
"""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from omnihub.cli import guessing
from omnihub.cli.guessing import Match, best, plain, quoted
from omnihub.cli.openapi import Call, Document, Leaf
from omnihub.model import Entity

WIDTH = 110
MOST_NAMED = 8  # lists that are named though nothing is made of them
LIST_NAMES = ("data", "items", "results", "records", "values", "content", "list", "value")


@dataclass
class Text:
    """Lines of a file, each with what is uncertain about it."""

    lines: list[str] = field(default_factory=list)

    def add(self, line: str, note: str = "") -> None:
        """A line; its note behind it where there is room, else above it. Both stay one line, whatever is in them."""
        note = " ".join(note.split())
        if note and len(line) + len(note) + 4 > WIDTH:
            self.lines += [f"{line[: len(line) - len(line.lstrip())]}# {note}", line]
        else:
            self.lines.append(f"{line}  # {note}" if note else line)


@dataclass(frozen=True)
class Listed:
    """A list worth a stream."""

    call: Call
    items: str
    leaves: tuple[Leaf, ...]
    entity: Entity
    change: Call | None
    one: Call | None

    @property
    def name(self) -> str:
        """The stream's name."""
        return re.sub(r"[^a-z0-9]+", "_", self.call.path.rstrip("/").rpartition("/")[2].lower()).strip("_") or "records"


@dataclass(frozen=True)
class Draft:
    """A file, and what to tell its author. lists: how many were found, left: those nothing was made of."""

    text: str
    streams: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def guesses(self) -> int:
        """How many are marked."""
        return self.text.count("# guess:")

    @property
    def todos(self) -> int:
        """How many things are left to do."""
        return self.text.count("# todo:")


def draft(name: str, document: Document) -> Draft:
    """A connector out of a document."""
    listed = [*_lists(document)]
    chosen = _best_of_each(listed)
    if not chosen:
        said = [call.path for call in document.calls if call.method == "GET" and "{" not in call.path]
        return replace(skeleton(name, document.title), left=tuple(said))
    text = _Writing(name, document, chosen, [one for one in listed if one not in chosen])
    left = tuple(one.call.path for one in listed if one not in chosen)
    return Draft(text.whole(), tuple(one.name for one in chosen), left)


# -- what there is ---------------------------------------------------------------------------------------------------


def _lists(document: Document) -> Iterator[Listed]:
    """Every list whose records are about something the hub knows."""
    for call in document.calls:
        if call.method != "GET" or "{" in call.path:
            continue
        last = call.path.rstrip("/").rpartition("/")[2].lower()
        found = document.list_in(call.answers, (*LIST_NAMES, last))
        if found is None:
            continue
        items, schema = found
        shown = [*document.leaves(schema)]
        entity = guessing.entity_of(call.path, shown)
        if entity is None:
            continue
        change = guessing.reads_one(document.calls, call.path, "PATCH") or guessing.reads_one(
            document.calls, call.path, "PUT"
        )
        known = {leaf.path for leaf in shown}
        asked = document.flat(change.asks) if change else {}
        more = [leaf for leaf in document.leaves(_unwrapped(document, asked)[1]) if leaf.path not in known]
        one = guessing.reads_one(document.calls, call.path, "GET")
        yield Listed(call, items, (*shown, *more), entity, change, one)


def _needed(call: Call) -> list[str]:
    """What it wants to be told before it shows anything, beside how far to page."""
    paging = f"{guessing.SIZES} {guessing.OFFSETS} {guessing.NUMBERS} {guessing.CURSORS}".split()
    return [p.name for p in call.query().values() if p.needed and plain(p.name) not in paging]


def _best_of_each(listed: Sequence[Listed]) -> list[Listed]:
    """For each thing records are about the list that says most of it, in the order of the document."""

    def worth(one: Listed) -> tuple[bool, bool, int, bool, int, int]:
        rank = guessing.rank_of(one.entity, one.call.path)
        shown = not _needed(one.call)
        return shown, one.change is not None, -rank, one.one is not None, len(one.call.query()), -len(one.call.path)

    best_of = {
        entity: max((o for o in listed if o.entity is entity), key=worth) for entity in {o.entity for o in listed}
    }
    return [one for one in listed if best_of[one.entity] is one]


def _unwrapped(document: Document, schema: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """(name, shape) of the one object a body holds; ("", the body) where it is the record itself."""
    properties = schema.get("properties")
    if isinstance(properties, Mapping) and len(properties) == 1:
        [(name, inner)] = properties.items()
        flat = document.flat(inner)
        if flat.get("properties"):
            return str(name), flat
    return "", dict(schema)


# -- what is written -------------------------------------------------------------------------------------------------


class _Writing:
    """The file in the making."""

    def __init__(self, name: str, document: Document, chosen: Sequence[Listed], others: Sequence[Listed]) -> None:
        self.name, self.document, self.chosen, self.others = name, document, chosen, others
        self.streams = {one.entity: one.name for one in chosen}
        self.text = Text()

    def whole(self) -> str:
        """The file."""
        body = Text()
        self.text = body
        for one in self.chosen:
            self._stream(one)
        self._connector()
        used = "\n".join(body.lines)
        head = [
            f'"""{_title(self.name, self.document)}: drafted from its OpenAPI document; each guess is marked."""',
            "",
        ]
        if "timedelta(" in used:
            head += ["from datetime import timedelta", ""]
        names = [word for word in _WORDS if re.search(rf"(?<![\w\"]){word}[.(]", used)]
        head += _import(names)
        return "\n".join([*head, "", *self._left_out(), used]) + "\n"

    def _left_out(self) -> Iterator[str]:
        if self.others:
            named = [one.call.path for one in self.others[:MOST_NAMED]]
            more = f" and {len(self.others) - len(named)} more" if len(self.others) > len(named) else ""
            yield from textwrap.wrap(
                f"todo: not drafted, though they look like lists of the same kind: {', '.join(named)}{more}",
                WIDTH,
                initial_indent="# ",
                subsequent_indent="# ",
            )

    def _stream(self, one: Listed) -> None:
        add = self.text.add
        leaves = one.leaves
        word = one.call.path.rstrip("/").rpartition("/")[2]
        add(f"{_variable(one.name)} = Stream(")
        add(f'    name="{one.name}",')
        about = (
            "" if guessing.singular(plain(word)) == one.entity else f"guess: {word} are what the hub calls {one.entity}"
        )
        add(f"    entity=Entity.{one.entity.name},", about)
        updated = best([leaf.path for leaf in leaves], guessing.UPDATED)
        deleted = best([leaf.path for leaf in leaves], guessing.DELETED)
        since = best(one.call.query(), guessing.SINCES)
        self._pull(one, updated, deleted, since if updated else "")
        mapped = [
            m for m in guessing.matches(one.entity, leaves) if guessing.can_be_mapped(one.entity, m, self.streams)
        ]
        key = self._key(one)
        self._map(one, mapped, key)
        if updated:
            add(f"    updated={quoted(updated)},")
        self._push(one, mapped, key, updated)
        if since and updated and not deleted:
            note = "guess: nothing in the document tells of deletions"
            add('    blind="deleted records", full_every=timedelta(days=1),', note)
        add(")")

    def _key(self, one: Listed) -> str:
        paths = [leaf.path for leaf in one.leaves]
        own = guessing.singular(plain(one.name))
        return best(paths, f"id {own}id uuid idid key {own}key {own}number number")

    def _pull(self, one: Listed, updated: str, deleted: str, since: str) -> None:
        add, query = self.text.add, one.call.query()
        merged = best([leaf.path for leaf in one.leaves], guessing.MERGED)
        add(f"    pull=Pages({quoted(one.call.path)}, items={quoted(one.items)},")
        size = best(query, guessing.SIZES)
        way, note, sends_size = self._way(one, size)
        if way:
            add(f"               next={way},", note)
        elif note:
            add("               next=None,", note)
        if size and not sends_size:
            add(f"               params={{{quoted(size)}: {guessing.size_of(query[size])}}},")
        if since:
            add(
                f'               since={{{quoted(since)}: "{{since}}"}},',
                "guess: by its name; whether it takes times like these",
            )
        key = self._key(one)
        marks = [f"key={quoted(key)}"] if key and key != "id" else []
        marks += [f"updated={quoted(updated)}"] if updated else []
        marks += [f"deleted={quoted(deleted)}"] if deleted else []
        marks += [f"merged_into={quoted(merged)}"] if merged and deleted else []
        self._wanted(one)
        if not key:
            add("               # todo: which property is the id? nothing here is called so")
        add(f"               {', '.join(marks)})," if marks else "               ),")

    def _wanted(self, one: Listed) -> None:
        if needed := _needed(one.call):
            self.text.add(f"               # todo: the document says that it wants to be told: {', '.join(needed)}")
        sorts = [name for name in one.call.query() if "sort" in plain(name) or plain(name) in ("order", "orderby")]
        if sorts:
            self.text.add(
                f"               # todo: ask for an order that never changes, or that of change: {', '.join(sorts)}"
            )

    def _way(self, one: Listed, size: str) -> tuple[str, str, bool]:
        """(how the list goes on, what is uncertain about it, whether that sends the size of a page)."""
        query = one.call.query()
        answer = self.document.leaves(one.call.answers)
        paths = [leaf.path for leaf in answer]
        more, total = _path_of(paths, guessing.MORES), _path_of(paths, guessing.TOTALS)
        count = guessing.size_of(query.get(size))
        cursor, token = best(query, guessing.CURSORS), _path_of(paths, guessing.NEXT_CURSORS)
        if cursor and token:
            flag = f", more={quoted(more)}" if more else ""
            return f"Cursor({quoted(token)}, {quoted(cursor)}{flag})", "guess: by their names", False
        if url := _path_of(paths, guessing.NEXT_URLS):
            return f"NextUrl({quoted(url)})", "guess: by its name", False
        if offset := best(query, guessing.OFFSETS):
            sends = f", limit={quoted(size)}" if size else ""
            ends = f", total={quoted(total)}" if total else ""
            return f"Offset({quoted(offset)}, {count}{sends}{ends})", "guess: by their names", bool(size)
        if number := best(query, guessing.NUMBERS):
            return self._number(one, number, size, more, _path_of(paths, guessing.PAGE_COUNTS))
        if any(name.lower() == "link" for name in one.call.headers):
            return "LinkHeader()", "guess: there is a Link header", False
        return "", "todo: how does the list go on? The document says nothing; this reads one page", False

    def _number(self, one: Listed, number: str, size: str, more: str, pages: str) -> tuple[str, str, bool]:
        query = one.call.query()
        schema = query[number].schema
        first = schema.get("default", schema.get("minimum"))
        parts = [quoted(number), f"more={quoted(more)}" if more else f"pages={quoted(pages)}" if pages else ""]
        parts.append(f"first={first}" if isinstance(first, int) else "first=0")
        if size:
            parts += [f"size={guessing.size_of(query[size])}", f"limit={quoted(size)}"]
        note = "guess: by their names" + ("" if isinstance(first, int) else "; is the first page 0 or 1?")
        return f"Number({', '.join(filter(None, parts))})", note, bool(size)

    def _map(self, one: Listed, mapped: Sequence[Match], key: str) -> None:
        add = self.text.add
        add("    map={")
        for line in self._sure(one, mapped, key):
            add(line)
        for match in mapped:
            if match.leaf.path != key and (note := _doubt(match)):
                add(f'        "{match.field}": {guessing.expression(one.entity, match, self.streams)},', note)
        for part, path in self._whole_name(one, mapped).items():
            add(f'        "{part}_name": FullName({quoted(path)}, "{part}"),', "guess: one text for both names")
        used = {m.leaf.path for m in mapped} | set(self._whole_name(one, mapped).values())
        other = [leaf.path for leaf in one.leaves if leaf.path not in used and leaf.path != key]
        if other:
            shown = ", ".join(other[:MOST_NAMED]) + (
                f" and {len(other) - MOST_NAMED} more" if len(other) > MOST_NAMED else ""
            )
            for line in textwrap.wrap(f"todo: not mapped: {shown}", WIDTH - 8):
                add(f"        # {line}")
        add("    },")

    def _sure(self, one: Listed, mapped: Sequence[Match], key: str) -> list[str]:
        """The fields that are called what the hub calls them, side by side."""
        pairs = [
            f'"{m.field}": {guessing.expression(one.entity, m, self.streams)},'.replace(" ", "\0")
            for m in mapped
            if m.leaf.path != key and not _doubt(m)
        ]
        lines = textwrap.wrap(" ".join(pairs), WIDTH - 8, break_long_words=False, break_on_hyphens=False)
        return [f"        {line}".replace("\0", " ") for line in lines]

    @staticmethod
    def _whole_name(one: Listed, mapped: Sequence[Match]) -> dict[str, str]:
        """Part → path, where a person's name is one text."""
        if one.entity is not Entity.CONTACT or {m.field for m in mapped} & {"first_name", "last_name"}:
            return {}
        whole = best([leaf.path for leaf in one.leaves], "fullname name displayname")
        return {"first": whole, "last": whole} if whole else {}

    def _push(self, one: Listed, mapped: Sequence[Match], key: str, updated: str) -> None:
        add = self.text.add
        if one.change is None or one.one is None:
            missing = "PATCH or PUT" if one.change is None else "GET"
            add(f"    # todo: nothing is written: the document has no {missing} for one of them")
            return
        wrap, sent = _unwrapped(self.document, one.change.asks)
        writable = {leaf.path for leaf in self.document.leaves(sent)}
        stamps = {key, updated}
        fields = [
            m.field
            for m in mapped
            if m.leaf.path not in stamps and not m.leaf.read_only and (m.leaf.path in writable or not writable)
        ]
        whole = self._whole_name(one, mapped)
        if not writable or set(whole.values()) & writable:
            fields += [f"{part}_name" for part in whole]
        if not fields:
            add(
                f"    # todo: nothing is written: {one.change.method} {one.change.path} takes none of the mapped fields"
            )
            return
        whose = "guess: all that it takes" if writable else "guess: the document does not say what it takes"
        self._fields(fields, whose)
        self._update(one, wrap)
        item, _ = _unwrapped(self.document, one.one.answers)
        rest = "".join(
            [f", item={quoted(item)}" if item else "", f", key={quoted(key)}" if key and key != "id" else ""]
            + [f", updated={quoted(updated)}" if updated else ""]
        )
        add(f"              look=ByIds({quoted(_template(one.one.path))}{rest})),")

    def _fields(self, fields: Sequence[str], note: str) -> None:
        words = ", ".join(f'"{name}"' for name in fields) + ("," if len(fields) == 1 else "")
        lines = textwrap.wrap(f"push=Push(fields=({words}),", WIDTH - 4, subsequent_indent=" " * 18)
        for n, line in enumerate(lines):
            self.text.add(f"    {line}", note if n == 0 else "")

    def _update(self, one: Listed, wrap: str) -> None:
        change = one.change
        assert change
        more, notes = f", wrap={quoted(wrap)}" if wrap else "", []
        if change.sends_header("If-Match"):
            version = best([leaf.path for leaf in one.leaves], guessing.VERSION)
            more += f", etag={quoted(version)}" if version else ", tagged=True"
            notes.append("If-Match takes the version it shows" if version else "If-Match takes the ETag header")
        if change.method == "PUT":
            notes.append("it leaves alone what is not sent; else whole=True")
        text = f"              update=Send1({quoted(change.method)}, {quoted(_template(change.path))}{more}),"
        self.text.add(text, f"guess: {', '.join(notes)}" if notes else "")

    # -- the connector itself -----------------------------------------------------------------------------------------

    def _connector(self) -> None:
        add = self.text.add
        auth, settings, note = _auth(self.document)
        add("")
        add("connector = Connector(")
        title = _title(self.name, self.document)
        add(f'    name="{self.name}", title="{title}", role="{title.lower()}",', "todo: say its role in a word or two")
        url = self.document.url
        where = f", as in {url}" if url and "localhost" not in url else ""
        add("    settings=(")
        for line in [f'Setting("url", {quoted(f"where {title} answers{where}")})', *settings]:
            add(f"        {line},")
        add("    ),")
        if auth:
            add(f"    auth={auth},", note)
        else:
            add("    # todo: auth: the document does not say how calls are signed")
        limit, why = self._limit()
        add("    limits=(")
        add(f"        {limit},", why)
        for one in self.chosen:
            if rate := guessing.rate_in(one.call.words):
                add(
                    f"        Limit({rate[0]}, per_s={rate[1]}, path={quoted(one.call.path)}),",
                    "guess: its description says so",
                )
        add("    ),")
        names = [_variable(one.name) for one in self.chosen]
        add(f"    streams=({', '.join(names)}{',' if len(names) == 1 else ''}),")
        add(")")

    def _limit(self) -> tuple[str, str]:
        headers = {h for call in self.document.calls for h in call.headers}
        left = best(headers, "xratelimitremaining ratelimitremaining xrateremaining")
        resets = best(headers, "ratelimitreset")
        told = f", left={quoted(left)}" if left else ""
        told += f", resets={quoted(resets)}" if left and resets else ""
        rate = guessing.rate_in(self.document.words())
        if rate:
            return f"Limit({rate[0]}, per_s={rate[1]}{told})", "guess: its description says so"
        return f"Limit(5, per_s=1{told})", "todo: how often may it be called? The document says nothing"


def _auth(document: Document) -> tuple[str, list[str], str]:
    """(how calls are signed, the settings that needs, what is uncertain about it)."""
    secret = 'Setting("token", "an API token", secret=True)'
    schemes = document.schemes()
    header = next((str(s.get("name")) for s in schemes if s.get("type") == "apiKey" and s.get("in") == "header"), "")
    login = _login(document, header)
    for scheme in schemes:
        flows = scheme.get("flows") or {}
        if "clientCredentials" in flows:
            path = _own(document, str(flows["clientCredentials"].get("tokenUrl", "/oauth/token")))
            names = ['Setting("client_id", "the client registered for the hub")']
            names.append('Setting("client_secret", "its secret", secret=True)')
            return f"ClientCredentials({quoted(path)})", names, ""
    for scheme in schemes:
        kind, how = scheme.get("type"), str(scheme.get("scheme", "")).lower()
        if kind == "apiKey" and scheme.get("in") == "header" and login:
            return login[0], login[1], "guess: there is a login that answers with a token"
        if kind == "apiKey" and scheme.get("in") == "header":
            bearer = "bearer" in str(scheme.get("description", "")).lower()
            auth = f'Bearer("token", header={quoted(header)})' if bearer else f'Header({quoted(header)}, "token")'
            return auth, [secret], "guess: its description speaks of Bearer" if bearer else ""
        if kind == "apiKey" and scheme.get("in") == "query":
            return f'ApiKey({quoted(str(scheme.get("name")))}, "token")', [secret], ""
        if kind == "http" and how == "bearer":
            return (login[0], login[1], "guess: there is a login") if login else ('Bearer("token")', [secret], "")
        if kind == "http" and how == "basic":
            names = ['Setting("user", "who the hub logs in as")', 'Setting("password", "the password", secret=True)']
            return 'Basic("{user}", "password")', names, ""
        if kind in ("oauth2", "openIdConnect"):
            return 'Bearer("token")', [secret], "guess: a token that stays; else Refresh or JwtBearer"
    return "", [], ""


def _login(document: Document, header: str) -> tuple[str, list[str]] | None:
    """A call that takes a name and a password and answers with a token."""
    for call in document.calls:
        asked = {plain(leaf.path): leaf.path for leaf in document.leaves(call.asks)}
        who, password = best(asked.values(), "username user email login"), best(asked.values(), "password")
        token = best([leaf.path for leaf in document.leaves(call.answers)], "token accesstoken jwt")
        if call.method == "POST" and who and password and token and "log" in call.path.lower():
            send = f', send={{{quoted(who)}: "username", {quoted(password)}: "password"}}'
            plainly = (who, password) == ("username", "password")
            at = f", at={quoted(token)}" if token != "token" else ""
            head = f", header={quoted(header)}" if header else ""
            names = [
                'Setting("username", "who the hub logs in as")',
                'Setting("password", "the password", secret=True)',
            ]
            return f"LoginToken({quoted(call.path)}{'' if plainly else send}{at}{head})", names
    return None


def _own(document: Document, address: str) -> str:
    """An address as a path where it is on the system's own host."""
    there, here = urlsplit(address), urlsplit(document.url)
    same = not there.netloc or there.netloc == here.netloc
    path = there.path if same else address
    prefix = here.path.rstrip("/")
    return path.removeprefix(prefix) if same and prefix and path.startswith(prefix + "/") else path


# -- words -----------------------------------------------------------------------------------------------------------

_WORDS = (
    "ApiKey Basic Bearer ByIds ClientCredentials Codes Connector Cursor Entity EpochMs FullName Header Limit Link "
    "LinkHeader LoginToken NextUrl Number Offset Pages Path Push Send1 Setting Stream"
).split()


def _import(names: Sequence[str]) -> list[str]:
    return (
        textwrap.wrap(f"from omnihub.sdk import ({', '.join(names)})", WIDTH, subsequent_indent="    ") if names else []
    )


def _title(name: str, document: Document) -> str:
    said = re.sub(r"[\"\\\s]+", " ", document.title).strip()
    return said if 0 < len(said) <= 40 else name.replace("_", " ").capitalize()


def _variable(name: str) -> str:
    sound = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and not keyword.iskeyword(name) and name != "connector"
    return name if sound else f"stream_{re.sub(r'[^0-9a-z_]', '_', name)}"


def _template(path: str) -> str:
    """The address of one record as the kit has it."""
    return re.sub(r"\{[^}]+\}", "{id}", path)


def _doubt(match: Match) -> str:
    """What is uncertain about a field."""
    if match.leaf.enum:
        return f"guess: its values are {', '.join(match.leaf.enum[:6])}"
    return "" if match.sure else "guess: by its name"


def _path_of(paths: Sequence[str], wanted: str) -> str:
    """The path whose last name, or whole, is wanted most."""
    for word in wanted.split():
        found = [path for path in paths if plain(path.rpartition(".")[2]) == word]
        if found:
            return min(found, key=lambda path: path.count("."))
    return ""


def skeleton(name: str, title: str = "") -> Draft:
    """A connector to fill in."""
    title = title if 0 < len(title) <= 40 and '"' not in title else name.replace("_", " ").capitalize()
    return Draft(_SKELETON.format(name=name, title=title, role=title.lower()), ("customers",), ())


_SKELETON = '''"""{title}: todo: say in a sentence what it is."""

from datetime import timedelta

from omnihub.sdk import Bearer, ByIds, Codes, Connector, Entity, Limit, Offset, Pages, Push, Send1, Setting, Stream

customers = Stream(
    name="customers",
    entity=Entity.ACCOUNT,  # todo: what its records are about: see omnihub/model/entities.py
    # todo: the list: its address, where the records stand in the answer, how it goes on (Cursor, LinkHeader, NextUrl,
    # Offset, Number, Keyset), what filters changes, and which property is a record's time of change
    pull=Pages("/v1/customers", items="data", next=Offset("offset", 100, limit="limit"),
               since={{"updated_after": "{{since}}"}}, updated="updated_at"),
    # todo: canonical field: path in the record; Codes, Link, FullName, OneWay, EpochMs, Const where that is not enough
    map={{"name": "company", "phone": "phone", "city": "address.city", "country": "address.country",
         "status": Codes("state", {{"A": "active", "X": "former"}})}},
    updated="updated_at",
    # todo: what may be written, and how; take it out where nothing may be
    push=Push(fields=("phone", "city"), update=Send1("PATCH", "/v1/customers/{{id}}"),
              look=ByIds("/v1/customers/{{id}}")),
    blind="deleted customers vanish without a word", full_every=timedelta(days=1),  # todo: or say deleted="…" above
)

connector = Connector(
    name="{name}", title="{title}", role="{role}",  # todo: say its role in a word or two
    settings=(Setting("url", "where {title} answers"), Setting("token", "an API token", secret=True)),
    auth=Bearer("token"),  # todo: or Header, Basic, ApiKey, ClientCredentials, Refresh, LoginToken, JwtBearer
    limits=(Limit(5, per_s=1),),  # todo: how often may it be called?
    streams=(customers,),
)
'''
