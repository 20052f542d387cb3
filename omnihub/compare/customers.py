"""Of which group a customer is, as far as anybody says: what is believed, and what as many or more records say.

    a contact ─┬▶ the accounts its records say it is of                                ─┬▶ the groups that their
               └▶ fewer than two agree: the accounts with the domain of its mailbox too ─┘   records say they are of

A firm and its branches share a domain, and a single record may well name the wrong one. A price is judged by what is
believed; where another of these would make it right, it is the group that is in question (see `prices`).
"""

from __future__ import annotations

import pyarrow as pa

from omnihub.engine import connection

GOLDENS = pa.schema([(name, pa.string()) for name in ("id", "fields", "lineage")])
"""Golden accounts."""

BELIEVED = pa.schema([(name, pa.string()) for name in ("ref", "entity", "golden_id", "fields", "lineage")])
"""The golden record behind each ref of an account or contact."""

ACCOUNTS_OF = pa.schema([("ref", pa.string()), ("account", pa.string())])
"""The golden accounts that a ref may be of."""

GROUPS_OF = pa.schema([("ref", pa.string()), ("customer_group", pa.string())])
"""The customer groups that a ref may be of, each once."""


def accounts_of(believed: pa.Table, neighbours: pa.Table) -> pa.Table:
    """ACCOUNTS_OF, in order. neighbours: (golden_id of a contact, account) with the domain of its mailbox."""
    return _asked(_ACCOUNTS, believed=believed, neighbours=neighbours)


def groups_of(accounts: pa.Table, goldens: pa.Table) -> pa.Table:
    """GROUPS_OF, in order. accounts: see ACCOUNTS_OF."""
    return _asked(_GROUPS, accounts=accounts, goldens=goldens)


def _asked(query: str, **tables: pa.Table) -> pa.Table:
    con = connection()
    try:
        for name, table in tables.items():
            con.register(name, table)
        return con.sql(query).to_arrow_table()
    finally:
        con.close()


def _said(key: str, field: str, rows: str) -> str:
    """SQL: (key, value, n, believed): what is said of a field, by how many records, and whether it is believed."""
    return f"""
    SELECT {key}, value, count(*) AS n, bool_or(believed) AS believed FROM (
        SELECT {key}, json_extract_string(fields, '$.{field}') AS value, true AS believed FROM {rows}
        UNION ALL
        SELECT {key}, CASE WHEN l->>'why' = 'agrees' THEN json_extract_string(fields, '$.{field}') ELSE l->>'value' END,
               l->>'why' = 'agrees'
        FROM (SELECT {key}, fields, unnest(json_extract(lineage, '$.{field}.losers[*]')) AS l FROM {rows})
        WHERE l->>'why' <> 'echo')
    WHERE value IS NOT NULL GROUP BY {key}, value"""


_AS_MANY = "QUALIFY n >= coalesce(max(n) FILTER (believed) OVER (PARTITION BY {key}), 0)"

_ACCOUNTS = f"""
WITH said AS ({_said("ref", "account", "(SELECT * FROM believed WHERE entity = 'contact')")}),
claimed AS (SELECT * FROM said {_AS_MANY.format(key="ref")})
SELECT ref, golden_id AS account FROM believed WHERE entity = 'account'
UNION
SELECT ref, value FROM claimed
UNION
SELECT b.ref, n.account FROM believed AS b JOIN neighbours AS n ON n.golden_id = b.golden_id
WHERE b.entity = 'contact' AND b.ref NOT IN (SELECT ref FROM said WHERE believed AND n > 1)
ORDER BY ref, account
"""

_GROUPS = f"""
WITH said AS ({_said("id", "customer_group", "goldens")}),
claimed AS (SELECT * FROM said {_AS_MANY.format(key="id")})
SELECT DISTINCT a.ref, c.value AS customer_group FROM accounts AS a JOIN claimed AS c ON c.id = a.account
ORDER BY a.ref, customer_group
"""
