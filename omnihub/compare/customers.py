"""Of which group a customer is, as far as anybody says: all that is said of it, not only what is believed.

    a contact ─┬▶ the accounts its records say it is of      ─┬▶ the groups their records say they are of
               └▶ the accounts with the domain of its mailbox ─┘

What is believed is one of these. A price is judged by that; where the others would make it right, it is the group that
is in question (see `prices`).
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
    """ACCOUNTS_OF, in order. neighbours: (golden_id of a contact, account) with the domain of its mailbox: a firm and
    its branches, of which a record may name the wrong one."""
    con = connection()
    try:
        con.register("believed", believed)
        con.register("neighbours", neighbours)
        return con.sql(_ACCOUNTS).to_arrow_table()
    finally:
        con.close()


_ACCOUNTS = """
WITH claimed AS (
    SELECT ref, golden_id AS account FROM believed WHERE entity = 'account'
    UNION
    SELECT ref, json_extract_string(fields, '$.account') FROM believed WHERE entity = 'contact'
    UNION
    SELECT ref, unnest(json_extract_string(lineage, '$.account.losers[*].value')) FROM believed
    WHERE entity = 'contact')
SELECT ref, account FROM claimed WHERE account IS NOT NULL
UNION
SELECT b.ref, n.account FROM believed AS b JOIN neighbours AS n ON n.golden_id = b.golden_id
WHERE b.entity = 'contact' ORDER BY ref, account
"""


def groups_of(accounts: pa.Table, goldens: pa.Table) -> pa.Table:
    """GROUPS_OF, in order. accounts: see ACCOUNTS_OF."""
    con = connection()
    try:
        con.register("accounts", accounts)
        con.register("goldens", goldens)
        return con.sql(_GROUPS).to_arrow_table()
    finally:
        con.close()


_GROUPS = """
WITH said AS (
    SELECT id, json_extract_string(fields, '$.customer_group') AS customer_group FROM goldens
    UNION
    SELECT id, unnest(json_extract_string(lineage, '$.customer_group.losers[*].value')) FROM goldens)
SELECT DISTINCT a.ref, s.customer_group FROM accounts AS a JOIN said AS s ON s.id = a.account
WHERE s.customer_group IS NOT NULL ORDER BY a.ref, s.customer_group
"""
