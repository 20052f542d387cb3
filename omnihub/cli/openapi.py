"""An OpenAPI 3 document, read for what a connector needs: its calls, and the shapes of what is asked and answered.

References within the document are followed, `allOf` is laid together, of `oneOf` and `anyOf` the first object counts.
References to other documents are not followed: what they stand for is unknown here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from omnihub.errors import ConfigError
from omnihub.sdk import Http

DEPTH = 3  # names below names: address.geo.lat is as far as a customer record goes
METHODS = ("get", "post", "put", "patch", "delete")

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Leaf:
    """A value at a dotted path of a record. type: JSON's word for it, "" where the document does not say."""

    path: str
    type: str = ""
    format: str = ""
    enum: tuple[str, ...] = ()
    read_only: bool = False

    @property
    def name(self) -> str:
        """The last name on its path."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True)
class Parameter:
    """What can be sent with a call: in the path, the query or a header."""

    name: str
    where: str
    schema: Schema = field(default_factory=dict)
    needed: bool = False


@dataclass(frozen=True)
class Call:
    """One operation. asks: the JSON it is sent, answers: the JSON it answers with; {} where neither is said."""

    method: str
    path: str
    parameters: tuple[Parameter, ...]
    asks: Schema
    answers: Schema
    headers: tuple[str, ...]
    words: str

    def query(self) -> dict[str, Parameter]:
        """The parameters of its query, by name."""
        return {p.name: p for p in self.parameters if p.where == "query"}

    def sends_header(self, name: str) -> bool:
        """Whether it takes this header."""
        return any(p.where == "header" and p.name.lower() == name.lower() for p in self.parameters)


def read(where: str) -> Document:
    """The document in a file or at an address. ConfigError: it is none, or not of version 3."""
    if where.startswith(("https://", "http://")):
        text = Http("openapi").get_ok(where).text
    else:
        file = Path(where)
        if not file.is_file():
            raise ConfigError(f"{where}: there is no such file; name an OpenAPI 3 document or its address")
        text = file.read_text(encoding="utf-8")
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{where}: is neither JSON nor YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(found, dict) or not str(found.get("openapi", "")).startswith("3"):
        said = found.get("swagger") or found.get("openapi") if isinstance(found, dict) else None
        version = f" (it says {said})" if said else ""
        raise ConfigError(f"{where}: is no OpenAPI 3 document{version}; convert it, or leave it out for a skeleton")
    return Document(found)


class Document:
    """The whole of it."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content

    @cached_property
    def calls(self) -> list[Call]:
        """Every operation, in the order of the document."""
        return [*self._calls()]

    def _calls(self) -> Iterator[Call]:
        for path, said in (self.content.get("paths") or {}).items():
            item = self.flat(said)
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    yield self._call(method.upper(), path, item[method], item.get("parameters") or [])

    def _call(self, method: str, path: str, said: Schema, shared: list[Any]) -> Call:
        answer = self._good_answer(said)
        return Call(
            method=method,
            path=path,
            parameters=tuple(self._parameter(p) for p in [*shared, *(said.get("parameters") or [])]),
            asks=self._json(self.flat(said.get("requestBody") or {})),
            answers=self._json(answer),
            headers=tuple(answer.get("headers") or ()),
            words=f"{said.get('summary') or ''} {said.get('description') or ''}",
        )

    def _good_answer(self, said: Schema) -> Schema:
        answers = said.get("responses") or {}
        good = sorted(str(status) for status in answers if str(status).startswith("2"))
        return self.flat({str(k): v for k, v in answers.items()}[good[0]]) if good else {}

    def _parameter(self, said: Any) -> Parameter:
        flat = self.flat(said)
        name, where = str(flat.get("name", "")), str(flat.get("in", ""))
        return Parameter(name, where, self.flat(flat.get("schema") or {}), bool(flat.get("required")))

    def _json(self, holder: Schema) -> Schema:
        for kind, content in (holder.get("content") or {}).items():
            if "json" in kind:
                return self.flat(content.get("schema") or {})
        return {}

    def flat(self, node: Any, seen: frozenset[str] = frozenset()) -> dict[str, Any]:
        """A node with its references followed and its parts laid together."""
        if not isinstance(node, Mapping):
            return {}
        found = dict(node)
        ref = found.pop("$ref", None)
        if isinstance(ref, str):
            if ref in seen or not ref.startswith("#/"):
                return found
            seen |= {ref}
            found = {**self.flat(self._at(ref), seen), **found}
        for part in found.pop("allOf", ()):
            found = _laid(found, self.flat(part, seen))
        for choice in ("oneOf", "anyOf"):
            options = [self.flat(one, seen) for one in found.pop(choice, ())]
            real = [one for one in options if one.get("type") != "null"]
            best = next((one for one in real if "properties" in one), real[0] if real else {})
            found = _laid(best, found)
        if isinstance(found.get("type"), list):
            found["type"] = next((kind for kind in found["type"] if kind != "null"), "")
        return found

    def _at(self, ref: str) -> Any:
        here: Any = self.content
        for part in ref[2:].split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            here = here.get(name) if isinstance(here, Mapping) else None
        return here

    def leaves(self, schema: Schema, before: str = "", depth: int = DEPTH) -> Iterator[Leaf]:
        """The values in a record of this shape; lists are not looked into."""
        for name, said in (schema.get("properties") or {}).items():
            flat, path = self.flat(said), f"{before}{name}"
            if flat.get("type") == "array" or "items" in flat or "." in name:
                continue
            if flat.get("properties") and depth > 1:
                yield from self.leaves(flat, f"{path}.", depth - 1)
            elif flat.get("type") != "object":
                yield Leaf(
                    path,
                    str(flat.get("type") or ""),
                    str(flat.get("format") or ""),
                    tuple(str(value) for value in flat.get("enum") or () if value is not None),
                    bool(flat.get("readOnly")),
                )

    def list_in(self, schema: Schema, wanted: tuple[str, ...]) -> tuple[str, Schema] | None:
        """(dotted path, shape of a record) of the list in an answer. wanted: names that are rather it than others."""
        if schema.get("type") == "array" or "items" in schema:
            inner = self.flat(schema.get("items"))
            return ("", inner) if inner.get("properties") else None
        found = [*self._lists(schema)]
        named = [one for one in found if one[0].rpartition(".")[2].lower() in wanted]
        return next(iter([*named, *found]), None)

    def _lists(self, schema: Schema, before: str = "", depth: int = 2) -> Iterator[tuple[str, Schema]]:
        deeper: list[tuple[str, dict[str, Any]]] = []
        for name, said in (schema.get("properties") or {}).items():
            flat = self.flat(said)
            inner = self.flat(flat.get("items"))
            if inner.get("properties"):
                yield f"{before}{name}", inner
            elif flat.get("properties"):
                deeper.append((f"{before}{name}.", flat))
        for path, held in deeper if depth > 1 else ():
            yield from self._lists(held, path, depth - 1)

    def schemes(self) -> list[dict[str, Any]]:
        """The ways to sign calls that the document asks for, else those it knows."""
        known = (self.content.get("components") or {}).get("securitySchemes") or {}
        asked = [name for one in self.content.get("security") or () for name in one]
        return [self.flat(known[name]) for name in dict.fromkeys(asked or known) if name in known]

    def words(self) -> str:
        """What it says of the whole in sentences."""
        info = self.content.get("info") or {}
        return f"{info.get('summary') or ''} {info.get('description') or ''}"

    @property
    def title(self) -> str:
        """What the system is called."""
        return str((self.content.get("info") or {}).get("title") or "")

    @property
    def url(self) -> str:
        """Where it answers, "" where only its host's own people know."""
        urls = [str(self.flat(server).get("url") or "") for server in self.content.get("servers") or ()]
        return next((url for url in urls if url.startswith("http")), "")


def _laid(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Two shapes as one."""
    properties = {**(under.get("properties") or {}), **(over.get("properties") or {})}
    return {**under, **over, **({"properties": properties} if properties else {})}
