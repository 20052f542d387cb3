"""Airtable's stand-in: one base with the master data, and the table for the consistency report.

Options, for what is uncertain about the vendor:
    iterator_lasts_s   how long a half-read list can be paged on (default: for ever)
    missing_as_text    a missing record is answered {"error": "NOT_FOUND"} (default) or with an object like the others
    renamed            columns a person renamed: old name → new name; their ids stay
    limit_as_list      a refusal for too many calls has an "errors" list (default) or an "error" object
"""

from __future__ import annotations

import hashlib
import string
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

from connectors.airtable import MODIFIED
from connectors.airtable.formula import InvalidFormula, Node, Row, equals, fields_in, modified_from, parse, value
from connectors.airtable.notices import MODIFIED_BY
from omnihub.sandbox.copies import SOLD_IN, Copy
from omnihub.sandbox.kit import Call, Quota, Reply, Standin, route
from omnihub.sandbox.state import Obj, iso

BASE = "appMasterData0001"
TOKEN = "patSandbox.airtable"
FINDINGS = "Consistency Findings"
HUB = "OmniHub"  # whose token it is
PAGE = 100
BATCH = 10
MAX_MERGE_FIELDS = 3
SCAN = 1_000  # records looked at in one go, where a formula can't be answered by an index

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase


def vendor_id(prefix: str, what: str) -> str:
    """An id as Airtable makes them, 17 characters, always the same for the same thing.

    >>> vendor_id("rec", "products/1")
    'recWc5FL5Oxkp2omR'
    """
    number = int.from_bytes(hashlib.sha256(what.encode()).digest()[:12], "big")
    return prefix + "".join(_DIGITS[number // 62**place % 62] for place in range(14))


@dataclass(frozen=True)
class Column:
    """A field of a table. `choices`: of a select; what is not among them is refused unless `typecast` is on."""

    name: str
    type: str = "singleLineText"
    choices: tuple[str, ...] = ()
    label: str = ""  # what it is called now, where somebody renamed it

    @property
    def shown(self) -> str:
        """The name people see."""
        return self.label or self.name


@dataclass(frozen=True)
class Table:
    """A table of the base, and the stream of the state it is kept in. `columns`: canonical field → where it stands."""

    name: str
    stream: str
    columns: Mapping[str, Column]

    @property
    def id(self) -> str:
        return vendor_id("tbl", self.name)

    def column(self, name: str) -> Column | None:
        """The column of this name or id."""
        return next((c for c in self.columns.values() if name in (c.shown, self.column_id(c.name))), None)

    def column_id(self, name: str) -> str:
        """The id of a column."""
        return vendor_id("fld", f"{self.name}/{name}")


_UNITS = ("pcs", "set", "kg", "m")
_CURRENCIES = ("EUR", "USD", "CHF", "GBP")
_GROUPS = {"standard": "Standard", "dealer": "Dealer", "key": "Key account"}
_STATUS = {"active": "Active", "discontinued": "Discontinued", "draft": "Draft"}
_CHANNELS = {"email": "E-mail", "web": "Web form", "phone": "Phone", "chat": "Chat"}
_SYSTEMS = {  # as people in the company call them
    "crm": "Salesforce", "marketing": "HubSpot", "shop": "Shopify", "ticketing": "Zendesk", "iot": "ThingsBoard",
    "portal": "Portal", "master": "Airtable",
}  # fmt: skip
_TAX = {"standard": "Standard", "reduced": "Reduced", "exempt": "Exempt"}
_DISCOUNTED = {"piece": "Each piece", "order": "Whole order"}
_CODES = {
    "status": _STATUS, "customer_group": _GROUPS, "channel": _CHANNELS, "system": _SYSTEMS, "tax_class": _TAX,
    "discount_on": _DISCOUNTED,
}  # fmt: skip
_LAST_MODIFIED = {"": Column(MODIFIED, "lastModifiedTime")}

TABLES = (
    Table(
        "Products",
        "products",
        {
            "sku": Column("SKU"),
            "gtin": Column("GTIN"),
            "name": Column("Name"),
            "description": Column("Description", "multilineText"),
            "unit": Column("Unit", "singleSelect", _UNITS),
            "category": Column("Category"),
            "status": Column("Status", "singleSelect", tuple(_STATUS.values())),
            "weight": Column("Weight in kg", "number"),
            "image": Column("Image", "multipleAttachments"),
            "tax_class": Column("Tax class", "singleSelect", tuple(_TAX.values())),
            "sold_in": Column("Sold in", "multipleSelects", SOLD_IN),
            **_LAST_MODIFIED,
        },
    ),
    Table(
        "Prices",
        "prices",
        {
            "sku": Column("SKU"),
            "price_list": Column("Price list"),
            "customer_group": Column("Customer group", "singleSelect", tuple(_GROUPS.values())),
            "currency": Column("Currency", "singleSelect", _CURRENCIES),
            "amount": Column("Amount", "number"),
            "unit": Column("Unit", "singleSelect", _UNITS),
            "min_quantity": Column("Min quantity", "number"),
            "tax_included": Column("Tax included", "checkbox"),
            "tax_rate": Column("Tax rate in percent", "number"),
            "tolerance": Column("Tolerance", "number"),
            "rounding": Column("Rounding", "number"),
            "valid_from": Column("Valid from", "date"),
            "valid_to": Column("Valid to", "date"),
            **_LAST_MODIFIED,
        },
    ),
    Table(
        "Promotions",
        "promotions",
        {
            "code": Column("Code"),
            "name": Column("Name"),
            "sku": Column("SKU"),
            "customer_group": Column("Customer group", "singleSelect", tuple(_GROUPS.values())),
            "discount": Column("Discount in percent", "number"),
            "discount_amount": Column("Discount amount", "number"),
            "currency": Column("Currency", "singleSelect", _CURRENCIES),
            "discount_on": Column("Discount on", "singleSelect", tuple(_DISCOUNTED.values())),
            "valid_from": Column("Valid from", "date"),
            "valid_to": Column("Valid to", "date"),
            **_LAST_MODIFIED,
        },
    ),
    Table(
        "Channels",
        "channels",
        {"name": Column("Name"), "system": Column("System"), "owner": Column("Owner"), **_LAST_MODIFIED},
    ),
    Table(
        "Service Standards",
        "standards",
        {
            "channel": Column("Channel", "singleSelect", tuple(_CHANNELS.values())),
            "first_answer_hours": Column("First answer in hours", "number"),
            "solution_hours": Column("Solution in hours", "number"),
            "valid_from": Column("Valid from", "date"),
            **_LAST_MODIFIED,
        },
    ),
    Table(
        FINDINGS,
        "findings",
        {
            name.lower(): Column(name, type_)
            for name, type_ in (
                ("Key", "singleLineText"),
                ("Title", "singleLineText"),
                ("Text", "multilineText"),
                ("Kind", "singleLineText"),
                ("Severity", "singleLineText"),
                ("Record", "singleLineText"),
                ("Expected", "multilineText"),
                ("Owner", "singleLineText"),
                ("Since", "singleLineText"),
            )
        }
        | {"status": Column("Status", "singleSelect", ("Open", "Closed", "Resolved"))}
        | {"by": Column(MODIFIED_BY, "lastModifiedBy")}
        | _LAST_MODIFIED,
    ),
)
_BY_STREAM = {table.stream: table for table in TABLES}


class Refused(Exception):
    """What the caller asked for can't be had: 422, unless it says otherwise."""

    def __init__(self, code: str, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


Handler = Callable[[Any, Call], Reply]


def refusing(handler: Handler) -> Handler:
    """Answer a `Refused` in Airtable's words."""

    def answer(self: AirtableStandin, call: Call) -> Reply:
        try:
            return handler(self, call)
        except Refused as no:
            return self.error(no.status, no.code, no.message)

    return answer


class AirtableStandin(Standin):
    """See the module's docstring."""

    system = "airtable"
    role = "master"
    credentials: ClassVar[Mapping[str, str]] = {"token": TOKEN, "base": BASE, "findings_table": FINDINGS}
    default_quotas = staticmethod(lambda: (Quota(5, per_s=1, penalty_s=30.0),))

    # -- seeding ------------------------------------------------------------------------------------------------

    def native_id(self, stream: str, n: int) -> str:
        return vendor_id("rec", f"{stream}/{n}")

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        columns = _BY_STREAM[stream].columns
        return {columns[name].name: _cell(columns[name], name, given) for name, given in fields.items()}

    def object(self, copy: Copy) -> Obj:
        obj = super().object(copy)
        obj.body = {name: cell for name, cell in obj.body.items() if not _empty(cell)}
        obj.created_at, obj.updated_at = _iso(copy.created_at), _iso(copy.updated_at)
        obj.deleted = copy.deleted or copy.merged_into is not None  # it knows no merges: one row is simply deleted
        return obj

    def edit(self, stream: str, id_: str, fields: Mapping[str, Any]) -> None:
        obj = self.state.get(stream, id_)
        if obj is None:
            raise KeyError(f"airtable/{stream}/{id_}")
        obj.body = _laid_over(obj.body, self.native(stream, fields))
        self.state.save(obj)

    def edit_as(self, who: str, stream: str, id_: str, values: Mapping[str, Any]) -> None:
        """Somebody of that name changes some cells, in Airtable's own words."""
        obj = self.state.get(stream, id_)
        if obj is None:
            raise KeyError(f"airtable/{stream}/{id_}")
        obj.body = _laid_over(obj.body, {**values, MODIFIED_BY: _somebody(who)})
        self.state.save(obj)

    # -- manners ------------------------------------------------------------------------------------------------

    def reads(self, call: Call) -> bool:
        """A list with a long formula is asked for as POST."""
        return call.method == "GET" or call.url.endswith("/listRecords")

    def authorized(self, call: Call) -> bool:
        return call.headers.get("authorization") == f"Bearer {TOKEN}"

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        if status == 429 and self.options.get("limit_as_list", True):
            body = {"error": "RATE_LIMIT_REACHED", "message": "Rate limit exceeded. Please try again later"}
            return Reply(429, {"errors": [body]})
        if status == 404 and self.options.get("missing_as_text", True):
            return Reply(404, {"error": "NOT_FOUND"})
        usual_code, usual_message = _ERRORS.get(status, ("INVALID_REQUEST_UNKNOWN", "Invalid request"))
        return Reply(status, {"error": {"type": code or usual_code, "message": message or usual_message}})

    def _table(self, call: Call) -> Table:
        name = call.path["table"]
        found = next((t for t in TABLES if name in (t.id, t.name)), None)
        if call.path["base"] != BASE or found is None:
            raise Refused(*_ERRORS[403], status=403)
        labels = self.options.get("renamed", {})
        return replace(found, columns={k: replace(c, label=labels.get(c.name, "")) for k, c in found.columns.items()})

    def _record(self, call: Call, table: Table) -> Obj:
        obj = self.state.get(table.stream, call.path["record"])
        if obj is None or obj.deleted:
            raise Refused("NOT_FOUND", "Could not find what you are looking for", status=404)
        return obj

    def _shown(self, table: Table, obj: Obj, by_id: bool = False, only: frozenset[str] = frozenset()) -> dict[str, Any]:
        """The record as it goes out: empty cells and unticked boxes are not there at all."""
        cells = {**obj.body, MODIFIED: _second(obj.updated_at)}
        names = {c.name: c.shown for c in table.columns.values()}
        return {
            "id": obj.id,
            "createdTime": _second(obj.created_at),
            "fields": {
                table.column_id(name) if by_id else names.get(name, name): cell
                for name, cell in cells.items()
                if not only or name in only
            },
        }

    # -- the account; these come first, because /v0/meta/bases also looks like a base and a table --------------------

    @route("GET", "/v0/meta/whoami")
    def account(self, call: Call) -> Reply:
        return Reply(200, {"id": vendor_id("usr", "omnihub"), "scopes": ["data.records:read", "schema.bases:read"]})

    @route("GET", "/v0/meta/bases")
    def account_bases(self, call: Call) -> Reply:
        return Reply(200, {"bases": [{"id": BASE, "name": "Master data", "permissionLevel": "create"}]})

    @route("GET", "/v0/meta/bases/{base}/tables")
    def account_tables(self, call: Call) -> Reply:
        if call.path["base"] != BASE:
            return self.error(403)
        return Reply(200, {"tables": [_schema(table) for table in TABLES]})

    # -- reading --------------------------------------------------------------------------------------------------

    @route("GET", "/v0/{base}/{table}")
    @refusing
    def list_records(self, call: Call) -> Reply:
        asked = {name: found for name, found in call.query if not name.endswith("[]") and not name.startswith("sort[")}
        return self._list(self._table(call), {**asked, "fields": call.params("fields[]"), "sort": _sort_of(call)})

    @route("POST", "/v0/{base}/{table}/listRecords")
    @refusing
    def list_records_by_post(self, call: Call) -> Reply:
        return self._list(self._table(call), _body(call))

    def _list(self, table: Table, asked: Mapping[str, Any]) -> Reply:
        size = _number(asked.get("pageSize"), PAGE)
        if not 1 <= size <= PAGE:
            raise Refused(
                "INVALID_REQUEST_UNKNOWN", "Invalid request: parameter validation failed. Check your request data."
            )
        only = frozenset(self._column(table, name).name for name in asked.get("fields") or ())
        query = {k: asked.get(k) for k in ("filterByFormula", "sort", "maxRecords")}
        digest = hashlib.sha256(repr((table.name, query)).encode()).hexdigest()[:6]
        start = self._resumed(str(asked["offset"]), digest) if asked.get("offset") else Position()
        most = _number(query["maxRecords"], 0)
        room = min(size, most - start.given) if most else size
        found: list[Obj] = []
        for obj in self._matching(table, query, start):
            if len(found) == room:
                break
            found.append(obj)
        else:
            return Reply(200, {"records": self._all_shown(table, found, asked, only)})
        body: dict[str, Any] = {"records": self._all_shown(table, found, asked, only)}
        if not most or start.given + len(found) < most:
            body["offset"] = self._offset(
                digest, Position(found[-1].n, found[-1].updated_at, found[-1].id, start.given + len(found))
            )
        return Reply(200, body)

    def _all_shown(
        self, table: Table, found: list[Obj], asked: Mapping[str, Any], only: frozenset[str]
    ) -> list[dict[str, Any]]:
        by_id = str(asked.get("returnFieldsByFieldId", "")).lower() in ("1", "true")
        return [self._shown(table, obj, by_id, only) for obj in found]

    def _matching(self, table: Table, query: Mapping[str, Any], start: Position) -> Iterator[Obj]:
        """The records from a position on: by time where the formula asks for newer ones, by an index where it asks for
        one value, else in the order they were made."""
        formula = _formula(table, query["filterByFormula"])
        since = modified_from(formula, MODIFIED) if formula else None
        sort = query["sort"] or []
        if sort:
            yield from self._sorted(table, formula, sort, start)
            return
        if since:
            candidates = self._by_time(table, iso(since), start)
        elif formula and (wanted := equals(formula)) and table.column(wanted[0]):
            column = self._column(table, wanted[0]).name
            candidates = iter([o for o in self.state.find(table.stream, f'$."{column}"', wanted[1]) if o.n > start.n])
        else:
            candidates = self._by_order(table, start.n)
        for obj in candidates:
            if formula is None or value(formula, _row(obj)):
                yield obj

    def _by_time(self, table: Table, since: str, start: Position) -> Iterator[Obj]:
        after = (start.at, start.id)
        while found := self.state.by_time(table.stream, since=since, after=after, limit=PAGE + 1):
            yield from found
            after = (found[-1].updated_at, found[-1].id)

    def _by_order(self, table: Table, after: int) -> Iterator[Obj]:
        limit = PAGE + 1
        while found := self.state.by_order(table.stream, after=after, limit=limit):
            yield from found
            after, limit = found[-1].n, SCAN

    def _sorted(self, table: Table, formula: Node | None, sort: list[dict[str, str]], start: Position) -> Iterator[Obj]:
        """Sorting looks at the whole table: people do this, the hub doesn't."""
        found = [o for o in self._by_order(table, 0) if formula is None or value(formula, _row(o))]
        for rule in reversed(sort):
            name = self._column(table, rule["field"]).name
            found.sort(key=lambda o: _sort_key(_row(o).cells.get(name)), reverse=rule.get("direction") == "desc")
        yield from found[start.given :]

    def _column(self, table: Table, name: str) -> Column:
        column = table.column(name)
        if column is None:
            raise Refused("UNKNOWN_FIELD_NAME", f'Unknown field name: "{name}"')
        return column

    def _offset(self, digest: str, at: Position) -> str:
        """The place in the list, opaque to the caller as Airtable's is."""
        micros = int(datetime.fromisoformat(at.at).timestamp() * 1_000_000)
        return f"itr{digest}{int(self.now().timestamp()):x}z{micros:x}z{at.given:x}z{at.n:x}/{at.id}"

    def _resumed(self, offset: str, digest: str) -> Position:
        try:
            iterator, id_ = offset.split("/", 1)
            issued, micros, given, n = (int(part, 16) for part in iterator[3 + len(digest) :].split("z"))
        except ValueError:
            raise Refused("INVALID_OFFSET_VALUE", "The value of offset is invalid") from None
        lasts_s = self.options.get("iterator_lasts_s")
        if iterator[3 : 3 + len(digest)] != digest or (
            lasts_s is not None and self.now().timestamp() - issued > lasts_s
        ):
            raise Refused(
                "LIST_RECORDS_ITERATOR_NOT_AVAILABLE", "The iterator is no longer available, start from the beginning"
            )
        at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)
        return Position(n, iso(at), id_, given)

    @route("GET", "/v0/{base}/{table}/{record}")
    @refusing
    def one(self, call: Call) -> Reply:
        table = self._table(call)
        return Reply(
            200, self._shown(table, self._record(call, table), call.param("returnFieldsByFieldId") in ("1", "true"))
        )

    # -- writing: everything is checked before anything is written, so a refused request has changed nothing ---------

    @route("POST", "/v0/{base}/{table}")
    @refusing
    def create(self, call: Call) -> Reply:
        table, body = self._table(call), _body(call)
        rows = [self._checked(table, row, body) for row in _rows(body)]
        made = [self._made(table, cells) for cells in rows]
        return self._written(table, made, body, one="records" not in body)

    @route("PATCH", "/v0/{base}/{table}")
    @refusing
    def update(self, call: Call) -> Reply:
        return self._update(call, replace=False)

    @route("PUT", "/v0/{base}/{table}")
    @refusing
    def replace(self, call: Call) -> Reply:
        return self._update(call, replace=True)

    @route("PATCH", "/v0/{base}/{table}/{record}")
    @refusing
    def update_one(self, call: Call) -> Reply:
        return self._update_one(call, replace=False)

    @route("PUT", "/v0/{base}/{table}/{record}")
    @refusing
    def replace_one(self, call: Call) -> Reply:
        return self._update_one(call, replace=True)

    def _update_one(self, call: Call, replace: bool) -> Reply:
        table, body = self._table(call), _body(call)
        obj = self._record(call, table)
        cells = self._checked(table, body, body)
        return self._written(table, [self._changed(table, obj, cells, replace)], body, one=True)

    def _update(self, call: Call, replace: bool) -> Reply:
        table, body = self._table(call), _body(call)
        merge_on = self._merge_fields(table, body)
        todo = []
        for row in _rows(body):
            cells = self._checked(table, row, body)
            todo.append((self._target(table, row, cells, merge_on), cells))
        done = [
            (obj, self._changed(table, obj, cells, replace) if obj else self._made(table, cells)) for obj, cells in todo
        ]
        extra = {
            "createdRecords": [made.id for was, made in done if was is None],
            "updatedRecords": [made.id for was, made in done if was is not None],
        }
        return self._written(table, [made for _, made in done], body, extra=extra if merge_on else None)

    def _merge_fields(self, table: Table, body: Mapping[str, Any]) -> list[str]:
        if "performUpsert" not in body:
            return []
        names = (body["performUpsert"] or {}).get("fieldsToMergeOn") or []
        if not 1 <= len(names) <= MAX_MERGE_FIELDS:
            raise Refused("INVALID_REQUEST_UNKNOWN", f"fieldsToMergeOn must have 1 to {MAX_MERGE_FIELDS} fields")
        return [self._column(table, name).name for name in names]

    def _target(
        self, table: Table, row: Mapping[str, Any], cells: Mapping[str, Any], merge_on: list[str]
    ) -> Obj | None:
        """The record a row is meant for; None where an upsert will make one."""
        if "id" in row:
            obj = self.state.get(table.stream, str(row["id"]))
            if obj is None or obj.deleted:
                raise Refused("ROW_DOES_NOT_EXIST", f"Record ID {row['id']} does not exist in this table")
            return obj
        if not merge_on:
            raise Refused("INVALID_RECORDS", "Each record needs an id")
        if missing := [name for name in merge_on if _empty(cells.get(name))]:
            raise Refused(
                "INVALID_VALUE_FOR_COLUMN", f"Cannot upsert: fields to merge on are empty: {', '.join(missing)}"
            )
        first, *others = merge_on
        found = self.state.find(table.stream, f'$."{first}"', cells[first])
        found = [obj for obj in found if all(obj.body.get(name) == cells[name] for name in others)]
        if len(found) > 1:
            raise Refused(
                "INVALID_REQUEST_UNKNOWN", "Cannot upsert: more than one record matches the fields to merge on"
            )
        return found[0] if found else None

    def _checked(self, table: Table, row: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        fields = row.get("fields")
        if not isinstance(fields, dict):
            raise Refused("INVALID_REQUEST_MISSING_FIELDS", 'Could not find field "fields" in the request body')
        columns = {name: self._column(table, name) for name in fields}
        typecast = bool(body.get("typecast"))
        return {columns[name].name: _accepted(columns[name], cell, typecast) for name, cell in fields.items()}

    def _made(self, table: Table, cells: Mapping[str, Any]) -> Obj:
        body = _laid_over({}, {**cells, **_by_the_hub(table)})
        return self.state.create(table.stream, vendor_id("rec", uuid.uuid4().hex), body)

    def _changed(self, table: Table, obj: Obj, cells: Mapping[str, Any], replace: bool) -> Obj:
        body = _laid_over({} if replace else obj.body, cells)
        if body == obj.body:
            return obj  # nothing changed, and "Last modified" stays
        obj.body = body | _by_the_hub(table)
        return self.state.save(obj)

    def _written(
        self,
        table: Table,
        made: list[Obj],
        body: Mapping[str, Any],
        one: bool = False,
        extra: Mapping[str, Any] | None = None,
    ) -> Reply:
        by_id = bool(body.get("returnFieldsByFieldId"))
        shown = [self._shown(table, obj, by_id) for obj in made]
        return Reply(200, shown[0] if one else {"records": shown, **(extra or {})})

    @route("DELETE", "/v0/{base}/{table}/{record}")
    @refusing
    def delete_one(self, call: Call) -> Reply:
        table = self._table(call)
        return Reply(200, self._delete(self._record(call, table)))

    @route("DELETE", "/v0/{base}/{table}")
    @refusing
    def delete_some(self, call: Call) -> Reply:
        table, ids = self._table(call), call.params("records[]") or call.params("records")
        if not 1 <= len(ids) <= BATCH:
            raise Refused("INVALID_RECORDS", f"You must provide an array of up to {BATCH} record IDs to delete")
        found = [self._target(table, {"id": id_}, {}, []) for id_ in ids]
        return Reply(200, {"records": [self._delete(obj) for obj in found if obj]})

    def _delete(self, obj: Obj) -> dict[str, Any]:
        obj.deleted = True
        self.state.save(obj)
        return {"id": obj.id, "deleted": True}

    # -- comments -----------------------------------------------------------------------------------------------------

    @route("GET", "/v0/{base}/{table}/{record}/comments")
    @refusing
    def list_comments(self, call: Call) -> Reply:
        obj = self._record(call, self._table(call))
        found = self.state.find("comments", "$.record", obj.id)
        return Reply(200, {"comments": [_comment(c) for c in reversed(found)]})

    @route("POST", "/v0/{base}/{table}/{record}/comments")
    @refusing
    def comment(self, call: Call) -> Reply:
        obj, text = self._record(call, self._table(call)), _body(call).get("text")
        if not isinstance(text, str) or not text:
            raise Refused("INVALID_REQUEST_MISSING_FIELDS", 'Could not find field "text" in the request body')
        made = self.state.create("comments", vendor_id("com", uuid.uuid4().hex), {"record": obj.id, "text": text})
        return Reply(200, _comment(made))


standin = AirtableStandin


@dataclass(frozen=True)
class Position:
    """How far a list has been read: after this record; `given` records have gone out."""

    n: int = 0
    at: str = ""
    id: str = ""
    given: int = 0


_ERRORS = {
    401: ("AUTHENTICATION_REQUIRED", "Authentication required"),
    403: (
        "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND",
        "Invalid permissions, or the requested model was not found. Check the token's rights and the ids.",
    ),
    404: ("NOT_FOUND", "Could not find what you are looking for"),
    422: ("INVALID_REQUEST_UNKNOWN", "Invalid request: parameter validation failed. Check your request data."),
    429: ("RATE_LIMIT_REACHED", "Rate limit exceeded. Please try again later"),
    500: ("SERVER_ERROR", "Something went wrong"),
}


def _cell(column: Column, name: str, given: Any) -> Any:
    """A canonical value as Airtable would hold it; what doesn't fit its type stays as it is (nobody checked it)."""
    if given is None:
        return None
    if column.type == "number":
        try:
            return float(given) if "." in str(given) else int(given)
        except ValueError:
            return given
    if column.type == "checkbox":
        return str(given).lower() == "true"
    if column.type == "multipleSelects":
        return [word for word in str(given).split(";") if word]
    if column.type == "multipleAttachments":
        return [_attachment(str(given))]
    return _CODES.get(name, {}).get(str(given), given)


def _attachment(name: str) -> dict[str, Any]:
    id_ = vendor_id("att", name)
    url = f"https://v5.airtableusercontent.com/v3/u/1/1/{id_}/{name}"
    return {"id": id_, "url": url, "filename": name, "size": 20480, "type": "image/jpeg"}


def _accepted(column: Column, cell: Any, typecast: bool) -> Any:
    """The cell, if the column takes it."""
    if column.type in ("lastModifiedTime", "lastModifiedBy"):
        raise Refused(
            "INVALID_VALUE_FOR_COLUMN", f'Field "{column.name}" cannot accept a value because the field is computed'
        )
    if cell is None:
        return None
    unknown = [one for one in _chosen(column, cell) if one not in column.choices]
    if unknown and not typecast:
        message = f'Insufficient permissions to create new select option "{unknown[0]}"'
        raise Refused("INVALID_MULTIPLE_CHOICE_OPTIONS", message)
    if typecast and column.type == "number":
        cell = _cell(column, "", cell)
    elif typecast and isinstance(cell, int | float) and column.type != "checkbox":
        cell = str(cell)
    if not _fits(column, cell):
        raise Refused("INVALID_VALUE_FOR_COLUMN", f'Field "{column.name}" cannot accept the provided value')
    return cell


def _chosen(column: Column, cell: Any) -> list[Any]:
    """What is picked in a select."""
    if column.type == "multipleSelects":
        return cell if isinstance(cell, list) else []
    return [cell] if column.type == "singleSelect" and cell != "" else []


def _fits(column: Column, cell: Any) -> bool:
    if column.type == "multipleSelects":
        return isinstance(cell, list) and all(isinstance(one, str) for one in cell)
    if column.type == "number":
        return isinstance(cell, int | float) and not isinstance(cell, bool)
    if column.type == "checkbox":
        return isinstance(cell, bool)
    if not isinstance(cell, str):
        return False
    if column.type == "date" and cell:
        try:
            date.fromisoformat(cell[:10])
        except ValueError:
            return False
    return column.type != "singleLineText" or "\n" not in cell


def _by_the_hub(table: Table) -> dict[str, Any]:
    return {MODIFIED_BY: _somebody(HUB)} if "by" in table.columns else {}


def _somebody(name: str) -> dict[str, str]:
    return {"id": vendor_id("usr", name), "email": f"{name.lower().replace(' ', '.')}@example.com", "name": name}


def _empty(cell: Any) -> bool:
    return cell is None or cell is False or cell in ("", [])


def _laid_over(body: Mapping[str, Any], cells: Mapping[str, Any]) -> dict[str, Any]:
    """The record with these cells changed; emptied ones are gone from it."""
    return {name: cell for name, cell in {**body, **cells}.items() if not _empty(cell)}


def _body(call: Call) -> dict[str, Any]:
    try:
        body = call.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused("INVALID_REQUEST_BODY", "Could not parse request body", status=422)
    return body


def _rows(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = body.get("records", [body])
    if not isinstance(rows, list) or not 1 <= len(rows) <= BATCH:
        raise Refused(
            "INVALID_RECORDS",
            f"You must provide an array of up to {BATCH} record objects, each with an ID field for updates",
        )
    return rows


def _sort_of(call: Call) -> list[dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for name, given in call.query:
        if name.startswith("sort["):
            place, key = name[5:-1].split("][")
            found.setdefault(int(place), {})[key] = given
    return [found[place] for place in sorted(found)]


def _sort_key(cell: Any) -> tuple[int, Any]:
    """Empty cells first, then numbers, then text."""
    return (0, "") if cell is None else (1, cell) if isinstance(cell, int | float) else (2, str(cell))


def _formula(table: Table, text: Any) -> Node | None:
    if not text:
        return None
    try:
        node = parse(str(text))
    except InvalidFormula:
        raise Refused(
            "INVALID_FILTER_BY_FORMULA", "The formula for filtering records is invalid: please check your formula text."
        ) from None
    for name in fields_in(node):
        if table.column(name) is None:
            raise Refused(
                "INVALID_FILTER_BY_FORMULA",
                f"The formula for filtering records is invalid: Unknown field names: {name.lower()}",
            )
    return node


def _row(obj: Obj) -> Row:
    modified = datetime.fromisoformat(obj.updated_at).replace(microsecond=0)
    return Row(obj.id, datetime.fromisoformat(obj.created_at), modified, {**obj.body, MODIFIED: modified})


def _iso(at: str) -> str:
    return iso(datetime.fromisoformat(at))


def _second(at: str) -> str:
    """The time in Airtable's grain.

    >>> _second("2026-11-21T22:18:46.123456Z")
    '2026-11-21T22:18:46.000Z'
    """
    return at[:19] + ".000Z"


def _number(given: Any, otherwise: int) -> int:
    try:
        return int(given) if given not in (None, "") else otherwise
    except ValueError:
        raise Refused(
            "INVALID_REQUEST_UNKNOWN", "Invalid request: parameter validation failed. Check your request data."
        ) from None


def _schema(table: Table) -> dict[str, Any]:
    fields = []
    for column in table.columns.values():
        field: dict[str, Any] = {"id": table.column_id(column.name), "name": column.name, "type": column.type}
        if column.type in ("singleSelect", "multipleSelects"):
            choices = [{"id": vendor_id("sel", f"{table.name}/{column.name}/{c}"), "name": c} for c in column.choices]
            field["options"] = {"choices": choices}
        elif column.type == "number":
            field["options"] = {"precision": 2}
        elif column.type == "checkbox":
            field["options"] = {"color": "greenBright", "icon": "check"}
        elif column.type == "date":
            field["options"] = {"dateFormat": {"name": "iso", "format": "YYYY-MM-DD"}}
        elif column.type == "lastModifiedTime":
            field["options"] = {"isValid": True, "referencedFieldIds": [], "result": _DATE_TIME}
        fields.append(field)
    view = {"id": vendor_id("viw", table.name), "name": "Grid view", "type": "grid"}
    return {"id": table.id, "name": table.name, "primaryFieldId": fields[0]["id"], "fields": fields, "views": [view]}


_DATE_TIME = {
    "type": "dateTime",
    "options": {
        "dateFormat": {"name": "iso", "format": "YYYY-MM-DD"},
        "timeFormat": {"name": "24hour", "format": "HH:mm"},
        "timeZone": "utc",
    },
}


def _comment(obj: Obj) -> dict[str, Any]:
    return {
        "id": obj.id,
        "author": {"id": vendor_id("usr", "omnihub"), "email": "hub@example.com", "name": "OmniHub"},
        "text": obj.body["text"],
        "createdTime": obj.created_at[:23] + "Z",
        "reactions": [],
    }
