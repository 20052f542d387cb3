"""A table of anybody's as records to match: a map says which column is which field, and the values are cleaned.

    id: rec_id                               each record's name; without it, the number of its row, from 0
    fields:
      first_name: given_name
      street: [street_number, address_1]     texts, names and streets of several columns are joined by a space
      phone: [phone, fax]                    of anything else, each column is one more value
      birth_date: [year, month, day]         three columns are a date in parts
    name: full_name                          a person's name kept whole
    country: DE                              where nothing else says so
    against: {id: key, fields: {…}}          what is called otherwise in the second table
    same_within: true                        one table of two may hold doubles of its own
    pairs: {left: name1, right: name2}       instead: a table of pairs of names; `kind: schema` is the column that says
                                             whether they are of a person or a company

Columns the map doesn't name are not used. A wrong map is refused with the key, the column and the nearest name.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from omnihub import fields
from omnihub.engine import connection
from omnihub.errors import ConfigError
from omnihub.match.features import ROWS
from omnihub.model import Entity, Kind, fields_of

ENTITIES = (Entity.CONTACT, Entity.ACCOUNT, Entity.PRODUCT)
DATA, AGAINST = "data", "against"  # the systems of the first and the second table

JOINED = frozenset({Kind.TEXT, Kind.NAME, Kind.COMPANY, Kind.ADDRESS, Kind.CITY})
DATE_PARTS = 3  # year, month, day
_KEYS = ("id", "fields", "name", "country", "against", "same_within", "pairs")
_KEYS_AGAINST = ("id", "fields", "name", "country")
_PART = "\x1f"  # between a text and its country, while both are looked up as one


@dataclass(frozen=True)
class Slot:
    """Where the values of one field come from: `columns` joined into one text, cleaned as `kind`."""

    field: str
    kind: Kind
    columns: tuple[str, ...]
    part: str = ""  # of a name kept whole: first or last
    date: bool = False  # the columns are year, month and day


@dataclass(frozen=True)
class Side:
    """One table: the column of its ids, and its slots; several of one field are alternatives, in order."""

    id: str | None
    slots: tuple[Slot, ...]
    country: str | None

    @property
    def columns(self) -> list[str]:
        """All that is read of it."""
        named = [self.id] if self.id is not None else []
        return list(dict.fromkeys(named + [column for slot in self.slots for column in slot.columns]))


@dataclass(frozen=True)
class NamePairs:
    """A table of pairs of names instead of records. `kind`: the column that says of what."""

    left: str
    right: str
    kind: str | None = None


@dataclass(frozen=True)
class Map:
    """A whole map, checked against the columns there are."""

    entity: Entity
    data: Side
    against: Side | None = None
    same_within: bool = False
    pairs: NamePairs | None = None

    @property
    def sides(self) -> dict[str, Side]:
        """system → side."""
        return {DATA: self.data} | ({AGAINST: self.against} if self.against else {})


@dataclass(frozen=True)
class Mapped:
    """One table as records. `ids`: what the table calls them, in the order of `rows`. `unclean`: field → how many
    values were no evidence because they could not be cleaned."""

    rows: pa.Table
    ids: pa.Array
    unclean: Mapping[str, int] = field(default_factory=dict)


def ref_of(system: str, id_: str) -> str:
    """The ref of a record of a table."""
    return f"{system}/records/{id_}"


def further(field: str, n: int) -> str:
    """The name of the n-th value of a field, from 0: phone, phone#2, phone#3."""
    return f"{field}#{n + 1}" if n else field


# -- the map ---------------------------------------------------------------------------------------------------------


def map_from(
    told: Any, entity: Entity, columns: Collection[str], against: Collection[str] | None = None, source: str = "map"
) -> Map:
    """The map that was read from a file. `columns`: those of the table, and of the second one where there is one."""
    if entity not in ENTITIES:
        raise ConfigError(f"{source}: {entity} can't be matched; {_meant(str(entity), list(ENTITIES))}")
    given = _mapping(told, source, "the map")
    _known(given, _KEYS, source, "")
    if "pairs" in given:
        return Map(entity, Side(None, (), None), pairs=_name_pairs(given, columns, source))
    second = _mapping(given.get("against", {}), source, "against")
    if against is None:
        if "against" in given:
            raise ConfigError(f"{source}: against: there is no second table; give one with --against, or leave it out")
        return Map(entity, _side(given, entity, columns, source))
    _known(second, _KEYS_AGAINST, source, "against.")
    merged = {**given, **second}
    merged["fields"] = {**_fields_in(given, source, ""), **_fields_in(second, source, "against.")}
    same_within = given.get("same_within", False)
    if not isinstance(same_within, bool):
        raise ConfigError(f"{source}: same_within: write true or false")
    return Map(
        entity,
        _side(given, entity, columns, source),
        _side(merged, entity, against, f"{source}, second table"),
        same_within,
    )


def _mapping(told: Any, source: str, what: str) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise ConfigError(f"{source}: {what} must be keys and values, as fields: {{first_name: given_name}}")
    return {str(key): value for key, value in told.items()}


def _known(given: Mapping[str, Any], known: Sequence[str], source: str, where: str) -> None:
    for key in given:
        if key not in known:
            raise ConfigError(f"{source}: {where}{key} is no key of a map; {_meant(key, known)}")


def _fields_in(given: Mapping[str, Any], source: str, where: str) -> dict[str, Any]:
    return _mapping(given.get("fields") or {}, source, f"{where}fields")


def _side(given: Mapping[str, Any], entity: Entity, columns: Collection[str], source: str) -> Side:
    id_ = _columns(given["id"], columns, source, "id") if given.get("id") is not None else ()
    if len(id_) > 1:
        raise ConfigError(f"{source}: id: one column")
    slots = [slot for name, value in _fields_in(given, source, "").items() if value is not None
             for slot in _slots(name, value, entity, columns, source)]  # fmt: skip
    if given.get("name") is not None:
        slots += _whole_name(given["name"], entity, slots, columns, source)
    if not slots:
        raise ConfigError(f"{source}: fields: which column is which field? As fields: {{{_example(entity)}: COLUMN}}")
    return Side(id_[0] if id_ else None, tuple(slots), _country(given.get("country"), source))


def _slots(name: str, value: Any, entity: Entity, columns: Collection[str], source: str) -> Iterator[Slot]:
    known = {one.name: one for one in fields_of(entity).values() if one.kind is not Kind.LINK}
    if name not in known:
        raise ConfigError(f"{source}: fields.{name} is no field of {entity}; {_meant(name, known)}")
    kind, named = known[name].kind, _columns(value, columns, source, f"fields.{name}")
    if kind in JOINED:
        yield Slot(name, kind, named)
    elif kind is Kind.DATE and len(named) == DATE_PARTS:
        yield Slot(name, kind, named, date=True)
    else:
        for column in named:
            yield Slot(name, kind, (column,))


def _whole_name(
    value: Any, entity: Entity, slots: Sequence[Slot], columns: Collection[str], source: str
) -> Iterator[Slot]:
    if entity is not Entity.CONTACT:
        raise ConfigError(f"{source}: name is a person's name kept whole; of {entity} write fields: {{name: COLUMN}}")
    if any(slot.field in ("first_name", "last_name") for slot in slots):
        raise ConfigError(f"{source}: name and fields.first_name/last_name say the same twice; leave one out")
    named = _columns(value, columns, source, "name")
    for part in ("first", "last"):
        yield Slot(f"{part}_name", Kind.NAME, named, part)


def _columns(value: Any, columns: Collection[str], source: str, where: str) -> tuple[str, ...]:
    named = value if isinstance(value, list) else [value]
    if not named:
        raise ConfigError(f"{source}: {where}: names no column")
    for column in named:
        if not isinstance(column, str):
            raise ConfigError(f"{source}: {where}: a column's name, or [several of them]")
        if column not in columns:
            raise ConfigError(f"{source}: {where}: there is no column {column!r}; {_meant(column, columns)}")
    return tuple(named)


def _country(value: Any, source: str) -> str | None:
    if value is None:
        return None
    try:
        found = fields.clean(Kind.COUNTRY, str(value))
    except fields.Unclean:
        found = None
    if found is None:
        more = " (a bare NO is false in YAML: write 'NO')" if value is False else ""
        raise ConfigError(f"{source}: country: {value} is no country; write its two letters, as DE{more}")
    return found


def _name_pairs(given: Mapping[str, Any], columns: Collection[str], source: str) -> NamePairs:
    told = _mapping(given["pairs"], source, "pairs")
    _known(told, ("left", "right", "kind"), source, "pairs.")
    more = [key for key in given if key != "pairs"]
    if more:
        raise ConfigError(f"{source}: {more[0]} has no meaning beside pairs; leave it out")
    for side in ("left", "right"):
        if side not in told:
            raise ConfigError(f"{source}: pairs.{side}: the column with the {side} name is missing")
    found = {side: _columns(column, columns, source, f"pairs.{side}")[0] for side, column in told.items()}
    return NamePairs(**found)


def _example(entity: Entity) -> str:
    return "first_name" if entity is Entity.CONTACT else "name"


def _meant(word: str, known: Collection[str]) -> str:
    """The nearest known word, or all of them."""
    folded = {str(one).lower(): str(one) for one in known}
    nearest = difflib.get_close_matches(word.lower(), folded, n=1)
    return f"did you mean {folded[nearest[0]]}?" if nearest else f"there are: {', '.join(folded.values()) or 'none'}"


# -- the records -----------------------------------------------------------------------------------------------------


def as_text(table: pa.Table) -> pa.Table:
    """Every column as text, the way a person would write it: 60640, not 60640.0; nothing for NaN and empty texts."""
    con = connection()
    try:
        con.register("given", table)
        columns = [(name, kind) for name, kind, *_ in con.execute("DESCRIBE given").fetchall()]
        return con.sql(f"SELECT {', '.join(_text(name, kind) for name, kind in columns)} FROM given").to_arrow_table()
    finally:
        con.close()


def _text(name: str, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    text = f"{column}::VARCHAR"
    if kind in ("DOUBLE", "FLOAT"):  # what became of a whole number where some were missing
        whole = f"{column} = trunc({column}) AND abs({column}) < 1e15"
        text = f"CASE WHEN isnan({column}) THEN NULL WHEN {whole} THEN {column}::BIGINT::VARCHAR ELSE {text} END"
    elif kind.endswith("[]"):
        text = f"array_to_string({column}, ' ')"
    return f"nullif(trim({text}), '') AS {column}"


def mapped(system: str, side: Side, table: pa.Table) -> Mapped:
    """The table as ROWS of `system`. `table`: columns of text, at least those of the side."""
    ids = _ids(side, table)
    country = _context(side, table)
    values: dict[str, list[pa.Array]] = {}
    unclean: dict[str, int] = {}
    for slot in side.slots:
        cleaned, refused = _cleaned(slot, _joined(slot, table), country)
        values.setdefault(slot.field, []).append(cleaned)
        if refused:
            unclean[slot.field] = unclean.get(slot.field, 0) + refused
    if side.country is not None and "country" not in values:
        values["country"] = [pa.array([side.country] * table.num_rows, pa.string())]
    refs = pc.binary_join_element_wise(ref_of(system, ""), ids, "")
    return Mapped(_rows(system, refs, values), ids, unclean)


def _ids(side: Side, table: pa.Table) -> pa.Array:
    if side.id is None:
        return pc.cast(pa.array(range(table.num_rows), pa.int64()), pa.string())
    ids = _column(table, side.id)
    if ids.null_count:
        raise ConfigError(f"map: id: {ids.null_count} records have no {side.id}; leave id out to number the rows")
    doubles = len(ids) - pc.count_distinct(ids).as_py()
    if doubles:
        raise ConfigError(f"map: id: {side.id} is no id, {doubles} of its values come again; leave id out")
    return ids


def _column(table: pa.Table, name: str) -> pa.Array:
    return table.column(name).combine_chunks().cast(pa.string())


def _joined(slot: Slot, table: pa.Table) -> pa.Array:
    """The slot's text of each record."""
    columns = [_column(table, name) for name in slot.columns]
    if len(columns) == 1:
        return columns[0]
    if slot.date:  # without one of its parts it is no date
        year, month, day = columns
        return pc.binary_join_element_wise(
            year, pc.utf8_lpad(month, 2, "0"), pc.utf8_lpad(day, 2, "0"), "-", null_handling="emit_null"
        )
    text, *others = columns
    for other in others:  # not null_handling="skip": that drops rows where nothing is said
        text = pc.coalesce(pc.binary_join_element_wise(text, other, " ", null_handling="emit_null"), text, other)
    return text


def _context(side: Side, table: pa.Table) -> pa.Array:
    """The country in whose ways a record's numbers are written: its own, else that of the map."""
    found = pa.array([side.country] * table.num_rows, pa.string())
    for slot in side.slots:
        if slot.kind is Kind.COUNTRY:
            found = pc.coalesce(_cleaned(slot, _joined(slot, table), None)[0], found)
    return found


def _cleaned(slot: Slot, texts: pa.Array, country: pa.Array | None) -> tuple[pa.Array, int]:
    """The canonical values, each distinct one cleaned once; and how many records have one that can't be."""
    if country is not None:
        texts = pc.binary_join_element_wise(texts, pc.fill_null(country, ""), _PART, null_handling="emit_null")
    encoded = texts.dictionary_encode()
    values, refused = [], []
    for text in encoded.dictionary.to_pylist():
        raw, _, context = text.partition(_PART)
        value, clean = _value(slot, raw, context or None)
        values.append(value)
        refused.append(not clean)
    bad = pc.sum(pa.array(refused, pa.bool_()).take(encoded.indices)).as_py()
    return pa.array(values, pa.string()).take(encoded.indices), bad or 0


def _value(slot: Slot, raw: str, country: str | None) -> tuple[str | None, bool]:
    """What there is to compare, and whether that is all that was said."""
    try:
        return fields.clean(slot.kind, raw, country=country, part=slot.part), True
    except fields.Unclean:
        # What it says all the same (a number of a list that leaves out what everybody there knows, a date with a slip)
        # is compared, though never written.
        told = fields.likely(slot.kind, raw)
        return told, told is not None


def _rows(system: str, refs: pa.Array, values: Mapping[str, Sequence[pa.Array]]) -> pa.Table:
    """ROWS. Alternatives of a field move up: the first one a record has is `phone`, its next one `phone#2`."""
    con = connection()
    try:
        columns = {"ref": refs, **{f"{name}#{n}": each for name, all_ in values.items() for n, each in enumerate(all_)}}
        con.register("given", pa.table(columns))
        pieces, lists = [], []
        for name, several in values.items():
            quoted = ", ".join(f'"{name}#{n}"' for n in range(len(several)))
            lists.append(f'list_distinct_in_order([{quoted}]) AS "{name}"')
            for n in range(len(several)):
                pieces.append(f"""'"{further(name, n)}":' || to_json("{name}"[{n + 1}])""")
        # list_distinct gives no order; and a NULL part of concat_ws is left out
        con.execute(
            """CREATE OR REPLACE TEMP MACRO list_distinct_in_order(l) AS
               list_filter(l, lambda v, i: v IS NOT NULL AND list_position(l, v) = i)"""
        )
        return (
            con.sql(
                f"""SELECT ref, '{system}' AS system, '{{' || concat_ws(',', {", ".join(pieces)}) || '}}' AS fields,
                       NULL::VARCHAR AS own
                FROM (SELECT ref, {", ".join(lists)} FROM given)"""
            )
            .to_arrow_table()
            .cast(ROWS)
        )
    finally:
        con.close()
