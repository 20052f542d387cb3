"""What is compared of each record, and the keys under which it can be found by those that might be the same.

Values are turned into comparison keys once per distinct value. Blocking keys are the rows of the store's `keys` table;
they begin with a letter that says what they are made of.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import NamedTuple

import duckdb
import pyarrow as pa

from omnihub import fields
from omnihub.engine import connection
from omnihub.model import Entity, Kind

ROWS = pa.schema([("ref", pa.string()), ("system", pa.string()), ("fields", pa.string()), ("own", pa.string())])
"""What features are made of: living refined records of one entity. `own`: what the system itself said last in fields
that now hold what we wrote there: our own words are no evidence of who is who."""

ACCOUNTS = pa.schema([("ref", pa.string()), ("golden_id", pa.string()), ("name", pa.string())])
"""For contacts: the golden account behind each account ref, and its golden name."""


class Derived(NamedTuple):
    """A feature: made of the canonical field `source` by `make`, once per distinct value."""

    name: str
    source: str
    make: Callable[[str], str | None]


def _key(kind: Kind) -> Callable[[str], str | None]:
    return lambda value: fields.key(kind, value) or None


def _strong_domain(value: str) -> str | None:
    return None if fields.weak(Kind.DOMAIN, value) else fields.key(Kind.DOMAIN, value)


def _email_domain(value: str) -> str | None:
    """A company's address tells its domain, whoever reads the mail there."""
    return _strong_domain(value.rpartition("@")[2])


def _script(value: str) -> str | None:
    return "latin" if unicodedata.normalize("NFKD", value)[:1].isascii() else "other"


def _as_is(value: str) -> str | None:
    return value


_DERIVED: dict[Entity, tuple[Derived, ...]] = {
    Entity.CONTACT: (
        Derived("first", "first_name", _key(Kind.NAME)),
        Derived("given", "first_name", fields.given),
        Derived("last", "last_name", _key(Kind.NAME)),
        Derived("last_given", "last_name", fields.given),
        Derived("script", "last_name", _script),
        Derived("generation", "last_name", fields.generation),
        Derived("email", "email", _key(Kind.EMAIL)),
        Derived("email_weak", "email", lambda v: fields.weak(Kind.EMAIL, v)),
        Derived("phone1", "phone", _key(Kind.PHONE)),
        Derived("phone2", "mobile", _key(Kind.PHONE)),
        Derived("company_text", "company", _key(Kind.COMPANY)),
        Derived("city", "city", _key(Kind.CITY)),
        Derived("country", "country", _key(Kind.COUNTRY)),
        Derived("account_ref", "account", _as_is),
    ),
    Entity.ACCOUNT: (
        Derived("name", "name", _key(Kind.COMPANY)),
        Derived("vat_id", "vat_id", _key(Kind.VAT)),
        Derived("own_domain", "domain", _strong_domain),
        Derived("email_domain", "email", _email_domain),
        Derived("phone1", "phone", _key(Kind.PHONE)),
        Derived("street", "street", _key(Kind.ADDRESS)),
        Derived("postal", "postal_code", _key(Kind.POSTAL)),
        Derived("city", "city", _key(Kind.CITY)),
        Derived("country", "country", _key(Kind.COUNTRY)),
        Derived("customer_group", "customer_group", _key(Kind.CODE)),
        Derived("parent", "parent", _as_is),
    ),
    Entity.PRODUCT: (
        Derived("sku", "sku", _key(Kind.SKU)),
        Derived("gtin", "gtin", _key(Kind.GTIN)),
    ),
}

_FEATURES: dict[Entity, str] = {
    Entity.CONTACT: """
        SELECT d.*, d.email_weak IS NOT NULL AS is_weak, split_part(d.email, '@', 1) AS email_user,
               split_part(d.email, '@', 2) AS email_domain,
               list_distinct(list_filter([d.phone1, d.phone2], lambda p: p IS NOT NULL)) AS phones,
               accounts.golden_id AS account, coalesce(company_keys.value, d.company_text) AS company
        FROM derived AS d
        LEFT JOIN accounts ON accounts.ref = d.account_ref
        LEFT JOIN company_keys ON company_keys.text = accounts.name""",
    Entity.ACCOUNT: """
        SELECT d.*, coalesce(d.own_domain, d.email_domain) AS domain,
               list_filter([d.phone1], lambda p: p IS NOT NULL) AS phones
        FROM derived AS d""",
    Entity.PRODUCT: "SELECT * FROM derived",
}

# What a pair must share to be looked at: `f` is a row of the features. A key with a NULL part is none.
_KEYS: dict[Entity, tuple[str, ...]] = {
    Entity.CONTACT: (
        "'e:' || CASE WHEN NOT is_weak THEN email END",
        "'E:' || CASE WHEN is_weak THEN email || '|' || last END",
        "'u:' || email_user || '|' || left(coalesce(last, company), 3)",
        "'p:' || phone1",
        "'p:' || phone2",
        "'n:' || least(given, last_given, first, last) || '|' || greatest(given, last_given, first, last)",
        "'n:' || least(given, last) || '|' || greatest(given, last)",
        "'n:' || least(first, last) || '|' || greatest(first, last)",
        "'c:' || company || '|' || left(last, 4)",
        "'c:' || company || '|' || left(given, 4)",
        "'a:' || account || '|' || left(last, 3)",
        "'a:' || account || '|' || left(given, 3)",
        "'r:' || account_ref",
    ),
    Entity.ACCOUNT: (
        "'v:' || vat_id",
        "'d:' || domain",
        "'n:' || replace(name, ' ', '')",
        "'h:' || left(replace(name, ' ', ''), 5) || '|' || postal",
        "'h:' || left(replace(name, ' ', ''), 5) || '|' || city",
        "'w:' || split_part(name, ' ', 1) || '|' || split_part(name, ' ', 2) || '|' || country",
        "'p:' || phone1",
        "'s:' || postal || '|' || street",
    ),
    Entity.PRODUCT: ("'s:' || sku", "'g:' || gtin"),
}

MAX_KEY = 200  # characters; a longer one is junk, and more than a database's index takes


def features(entity: Entity, rows: pa.Table, accounts: pa.Table | None = None) -> tuple[pa.Table, pa.Table]:
    """(features, keys) of the records: one row a record, and (key, ref) pairs. `rows`, `accounts`: see the schemas."""
    con = connection()
    try:
        con.register("rows", rows)
        con.register("accounts", accounts if accounts is not None else ACCOUNTS.empty_table())
        _derive(con, entity)
        if entity is Entity.CONTACT:
            con.register("company_keys", _made(con, "SELECT DISTINCT name AS text FROM accounts", _key(Kind.COMPANY)))
        con.execute(f"CREATE TEMP TABLE features AS {_FEATURES[entity]}")
        union = " UNION ".join(f"SELECT {key} AS key, ref FROM features" for key in _KEYS[entity])
        keys = con.sql(
            f"SELECT key, ref FROM ({union}) WHERE length(key) <= {MAX_KEY} ORDER BY key, ref"
        ).to_arrow_table()
        return con.sql("SELECT * FROM features ORDER BY ref").to_arrow_table(), keys
    finally:
        con.close()


def _derive(con: duckdb.DuckDBPyConnection, entity: Entity) -> None:
    """The table `derived`: each record with its derived values as columns."""
    derived = _DERIVED[entity]
    sources = sorted({d.source for d in derived})
    picked = ", ".join(f"json_extract_string(fields, '$.{s}') AS {s}" for s in sources)
    con.execute(
        f"""CREATE TEMP TABLE picked AS SELECT ref, system, {picked}
            FROM (SELECT ref, system, json_merge_patch(fields, coalesce(own, '{{}}')) AS fields FROM rows)"""
    )
    joins = []
    for d in derived:
        con.register(f"m_{d.name}", _made(con, f"SELECT DISTINCT {d.source} AS text FROM picked", d.make))
        joins.append(f"LEFT JOIN m_{d.name} ON m_{d.name}.text = picked.{d.source}")
    columns = ", ".join(f"m_{d.name}.value AS {d.name}" for d in derived)
    con.execute(
        f"CREATE TEMP TABLE derived AS SELECT picked.ref, picked.system, {columns} FROM picked {' '.join(joins)}"
    )


def _made(con: duckdb.DuckDBPyConnection, distinct: str, make: Callable[[str], str | None]) -> pa.Table:
    """text → value, for each distinct text."""
    texts = [t for t in con.sql(distinct).to_arrow_table().column("text").to_pylist() if t is not None]
    return pa.table({"text": pa.array(texts, pa.string()), "value": pa.array([make(t) for t in texts], pa.string())})
