"""A hub full of made-up customers, as refined records: set-based, a million in about a minute, the same each time.

    companies ─▶ accounts in four systems       products ─▶ the master's, the shop's, prices by group
    persons   ─▶ contacts in five systems       orders   ─▶ with lines, of contacts of the shop; tickets

The systems, streams and fields are those of the connectors; nothing is landed, so there are no raw records.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from omnihub.store import Store, bulk, schema
from omnihub.store.open import latest, now_iso, take

COLUMNS = ("ref", "entity", "system", "stream", "seq", "raw_seq", "pointer", "deleted", "updated", "fields", "times",
           "echoes", "own", "edits", "problems")  # fmt: skip

BATCH = 100_000
CONTACTS_A_PERSON = 1.6

# Shares of all records. A person has 1.6 records, a company 2; what one buys most is bought a lot.
_WORLD = """
CREATE MACRO pick(i, what, n) AS (hash(i::BIGINT, what) % n)::BIGINT;
CREATE MACRO often(i, what, n, power) AS floor(pow(pick(i, what, 1000003) / 1000003.0, power) * n)::BIGINT;
CREATE MACRO syllable(k) AS ['ba','ber','bor','dan','del','den','dor','eck','el','en','er','fal','fen','gal','ger',
  'gra','hal','han','hel','hof','il','jan','kel','ken','kor','lan','len','lor','mal','man','mer','mon','nel','nor',
  'ol','os','pel','per','pol','ral','ren','rich','ro','sal','sen','sol','stein','tal','ten','tor','ul','un','val',
  'ven','vol','wal','wen','win','zel','zor'][1 + (k % 60)];
CREATE MACRO word(k) AS upper(syllable(k // 3600)[1]) || syllable(k // 3600)[2:] || syllable(k // 60) || syllable(k);
CREATE MACRO place(k) AS word(7 * k + 13) || ['stadt','burg','heim','au'][1 + (k % 4)];
CREATE MACRO days_ago(i, what) AS strftime(TIMESTAMP '2026-11-01' - to_seconds(pick(i, what, 63072000)),
                                           '%Y-%m-%dT%H:%M:%SZ');

CREATE TABLE companies AS
SELECT i, word(often(i, 'w1', 200000, 1.3)) || ' ' || word(pick(i, 'w2', 3000)) AS stem,
       ['GmbH','AG','Ltd','KG','SARL'][1 + pick(i, 'form', 5)] AS form,
       lower(replace(stem, ' ', '-')) || (i % 97) || '.example' AS domain,
       '+4930' || lpad((i * 7 % 10000000)::VARCHAR, 7, '0') AS phone,
       word(pick(i, 'street', 30000)) || 'weg ' || (1 + pick(i, 'no', 90)) AS street, pick(i, 'city', 2000) AS city,
       ['standard','partner','key'][1 + often(i, 'group', 3, 2)] AS customer_group
FROM range(0, $companies) AS t(i);

CREATE TABLE persons AS
SELECT i, often(i, 'company', $companies, 1.2) AS company, word(often(i, 'first', 1800, 2)) AS first_name,
       word(3600 + often(i, 'last', 60000, 1.6)) AS last_name,
       CASE WHEN pick(i, 'has mobile', 10) < 7 THEN '+49151' ||
            lpad((i * 11 % 100000000)::VARCHAR, 8, '0') END AS mobile,
       lower(first_name || '.' || last_name) || CASE WHEN pick(i, 'private', 10) < 3 THEN (i % 9973) || '@mail.example'
            ELSE '@' || (SELECT domain FROM companies WHERE companies.i = company) END AS email,
       ['Buyer','Engineer','Director','Assistant','Manager'][1 + pick(i, 'job', 5)] AS job_title
FROM range(0, $persons) AS t(i);

CREATE TABLE facts AS
WITH account_copies AS (
    SELECT c.*, s.* FROM companies AS c, (VALUES ('salesforce', 'accounts', 100), ('hubspot', 'companies', 40),
           ('zendesk', 'organizations', 30), ('portal', 'accounts', 30)) AS s(system, stream, share)
    WHERE pick(c.i, system, 100) < share),
contact_copies AS (
    SELECT p.*, s.* FROM persons AS p, (VALUES ('salesforce', 'contacts', 'accounts', 60),
           ('hubspot', 'contacts', 'companies', 40), ('shopify', 'customers', NULL, 20),
           ('zendesk', 'users', 'organizations', 25), ('portal', 'users', 'accounts', 15))
         AS s(system, stream, home, share)
    WHERE pick(p.i, 'in ' || system, 100) < share)
SELECT system || '/' || stream || '/' || i AS ref, 'account' AS entity, system, stream,
       json_object('name', stem || CASE WHEN pick(i, system || 'short', 10) < 2 THEN '' ELSE ' ' || form END,
                   'domain', CASE WHEN pick(i, system || 'd', 10) < 8 THEN domain END,
                   'phone', CASE WHEN pick(i, system || 'p', 10) < 6 AND system <> 'zendesk' THEN phone END,
                   'street', CASE WHEN system <> 'zendesk' THEN street END,
                   'postal_code', CASE WHEN system <> 'zendesk' THEN (10000 + city)::VARCHAR END,
                   'city', CASE WHEN system <> 'zendesk' THEN place(city) END,
                   'country', CASE WHEN system <> 'zendesk' THEN 'DE' END,
                   'customer_group', CASE WHEN pick(i, system || 'g', 20) = 0 THEN 'standard' ELSE customer_group END)
       AS said
FROM account_copies
UNION ALL
SELECT c.system || '/' || c.stream || '/' || c.i, 'contact', c.system, c.stream,
       json_object('first_name', CASE WHEN pick(c.i, c.system || 'f', 30) = 0 THEN left(first_name, 1)
                                 ELSE first_name END,
                   'last_name', last_name,
                   'email', CASE WHEN pick(c.i, c.system || 'e', 10) < 9 THEN email END,
                   'mobile', CASE WHEN pick(c.i, c.system || 'm', 10) < 6
                                  AND c.system IN ('salesforce', 'hubspot', 'portal') THEN mobile END,
                   'phone', CASE WHEN c.system = 'shopify' THEN mobile END,
                   'job_title', CASE WHEN c.system IN ('salesforce', 'hubspot', 'portal')
                       THEN CASE WHEN pick(c.i, c.system || 'j', 8) = 0 THEN 'Head of ' ELSE '' END || job_title END,
                   'language', CASE WHEN c.system <> 'shopify' THEN 'de' END,
                   'account', CASE WHEN home IS NOT NULL AND
                       (pick(company, c.system, 100) < h.share OR pick(c.i, 'broken', 300) = 0)
                       THEN c.system || '/' || home || '/' || company END,
                   'marketing_consent', ['yes','no'][1 + often(c.i, c.system || 'consent', 2, 3)])
FROM contact_copies AS c LEFT JOIN (VALUES ('salesforce', 100), ('hubspot', 40), ('zendesk', 30), ('portal', 30))
     AS h(system, share) ON h.system = c.system;

INSERT INTO facts
SELECT 'airtable/products/' || i, 'product', 'airtable', 'products',
       json_object('sku', 'AB-' || lpad(i::VARCHAR, 6, '0'), 'name', word(i + 500) || ' pump',
                   'status', CASE WHEN i % 40 = 0 THEN 'discontinued' ELSE 'active' END)
FROM range(0, $products) AS t(i)
UNION ALL
SELECT 'shopify/variants/' || i, 'product', 'shopify', 'variants',
       json_object('sku', 'ab ' || lpad(i::VARCHAR, 6, '0'), 'name', word(i + 500) || ' pump', 'status', 'active',
                   'price', (10 + i % 90 + CASE WHEN i % 25 = 0 THEN 1 ELSE 0 END) || '.00', 'currency', 'EUR')
FROM range(0, $products) AS t(i)
UNION ALL
SELECT 'airtable/prices/' || i || '-' || g, 'price', 'airtable', 'prices',
       json_object('sku', 'AB-' || lpad(i::VARCHAR, 6, '0'), 'customer_group', g, 'currency', 'EUR',
                   'amount', (10 + i % 90 - CASE g WHEN 'standard' THEN 0 ELSE 2 END) || '.00', 'min_quantity', '1',
                   'tax_included', 'false', 'valid_from', '2020-01-01')
FROM range(0, $products) AS t(i), (VALUES ('standard'), ('partner'), ('key')) AS v(g)
UNION ALL
SELECT 'salesforce/opportunities/' || i, 'deal', 'salesforce', 'opportunities',
       json_object('name', 'Deal ' || i, 'account', 'salesforce/accounts/' || often(i, 'deal', $companies, 2),
                   'closes_on', left(days_ago(i, 'closes'), 10), 'currency', 'EUR')
FROM range(0, $orders // 2) AS t(i)
UNION ALL
SELECT 'hubspot/deals/' || i, 'deal', 'hubspot', 'deals',
       json_object('name', 'Deal ' || i, 'account', a.ref, 'closes_on', left(days_ago(i, 'closes'), 10),
                   'currency', 'EUR')
FROM range(0, $orders) AS t(i) JOIN (
    SELECT ref, row_number() OVER (ORDER BY ref) - 1 AS n, count(*) OVER () AS of FROM facts
    WHERE stream = 'companies') AS a ON a.n = often(i, 'hub deal', a.of, 2)
UNION ALL
SELECT 'hubspot/line_items/' || i, 'line', 'hubspot', 'line_items',
       json_object('of', 'hubspot/deals/' || (i // 2),
                   'sku', 'AB-' || lpad(often(i, 'sku', $products, 1.5)::VARCHAR, 6, '0'),
                   'quantity', (1 + i % 5)::VARCHAR, 'currency', 'EUR',
                   'unit_price', (10 + often(i, 'sku', $products, 1.5) % 90 - (i % 3)) || '.00')
FROM range(0, $orders * 2) AS t(i)
UNION ALL
SELECT 'shopify/orders/' || i, 'order', 'shopify', 'orders',
       json_object('number', i::VARCHAR, 'contact', b.ref, 'ordered_at', days_ago(i, 'ordered'), 'currency', 'EUR')
FROM range(0, $orders) AS t(i) JOIN (
    SELECT ref, row_number() OVER (ORDER BY ref) - 1 AS n, count(*) OVER () AS of FROM facts
    WHERE stream = 'customers') AS b ON b.n = often(i, 'buyer', b.of, 1.5)
UNION ALL
SELECT 'shopify/order_lines/' || i, 'line', 'shopify', 'order_lines',
       json_object('of', 'shopify/orders/' || (i // 2),
                   'sku', 'AB-' || lpad(often(i, 'sku', $products, 1.5)::VARCHAR, 6, '0'),
                   'quantity', '1', 'currency', 'EUR',
                   'unit_price', (10 + often(i, 'sku', $products, 1.5) % 90
                                    - CASE WHEN i % 20 = 0 THEN 1 ELSE 0 END) || '.00')
FROM range(0, $orders * 2) AS t(i);
"""

_ROWS = """
SELECT ref, entity, system, stream, row_number() OVER (ORDER BY entity, ref) AS seq, seq AS raw_seq, '' AS pointer,
       false AS deleted, days_ago(hash(ref) % 9007199254740992, 'updated') AS updated, f::VARCHAR AS fields,
       to_json(map_from_entries(list_transform(json_keys(f), lambda k: (k, updated))))::VARCHAR AS times,
       '[]' AS echoes, '{}' AS own, '[]' AS edits, '{}' AS problems
FROM (SELECT *, json_merge_patch('{}'::JSON, said) AS f FROM facts) ORDER BY seq
"""


def fill(store: Store, records: int) -> int:
    """Put about that many refined records into an empty store. Returns how many."""
    con = _world(records)
    done = 0
    for batch in con.sql(_ROWS).to_arrow_reader(BATCH):
        rows = list(zip(*(batch.column(n).to_pylist() for n in COLUMNS), strict=True))
        with store.write() as c, bulk.undisturbed:
            take(c, len(rows))
            bulk.append(c, schema.refined, COLUMNS, rows)
        done += len(rows)
    con.close()
    return done


def contacts(count: int) -> tuple[pa.Table, pa.Table]:
    """About that many contacts, and the golden accounts behind those they link to: as `omnihub.match.features` has
    them."""
    con = _world(round(count / (0.36 * CONTACTS_A_PERSON)))
    rows = con.sql(
        """SELECT ref, system, json_merge_patch('{}'::JSON, said)::VARCHAR AS fields, '{}' AS own
           FROM facts WHERE entity = 'contact' ORDER BY ref"""
    ).to_arrow_table()
    accounts = con.sql(
        """SELECT ref, 'account_' || split_part(ref, '/', 3) AS golden_id, said ->> 'name' AS name
           FROM facts WHERE entity = 'account' ORDER BY ref"""
    ).to_arrow_table()
    con.close()
    return rows, accounts


def _world(records: int) -> duckdb.DuckDBPyConnection:
    """A connection with the table `facts` of about that many records."""
    sizes = {
        "companies": round(records * 0.10),
        "persons": round(records * 0.36),
        "products": max(5, round(records * 0.002)),
        "orders": max(2, round(records * 0.03)),
    }
    con = duckdb.connect()
    con.execute("SET threads = 2")
    world = _WORLD
    for name, size in sizes.items():
        world = world.replace(f"${name}", str(size))
    con.execute(world)
    return con


# -- changes -----------------------------------------------------------------------------------------------------------

Fields = dict[str, str]


def _new_job(fields: Fields, n: int) -> None:
    fields["job_title"] = f"Deputy {n}"


def _new_mobile(fields: Fields, n: int) -> None:
    fields["mobile"] = f"+49152{n % 100_000_000:08d}"


def _new_surname(fields: Fields, n: int) -> None:
    fields["last_name"] = f"{fields['last_name']}-Neu"


def _other_account(fields: Fields, n: int) -> None:
    fields["account"] = f"salesforce/accounts/{n % 1000}"


def _other_group(fields: Fields, n: int) -> None:
    fields["customer_group"] = "key" if fields["customer_group"] != "key" else "partner"


def _moved_house(fields: Fields, n: int) -> None:
    fields["street"] = f"Neue Gasse {n % 300}"


def _new_price(fields: Fields, n: int) -> None:
    fields["amount"] = f"{20 + n % 70}.00"


def _other_price(fields: Fields, n: int) -> None:
    fields["unit_price"] = f"{20 + n % 70}.00"


Edit = Callable[[Fields, int], None]

# What changes in a thousand records: how many of a stream, and what; None: they are deleted.
CHANGES: tuple[tuple[str, int, Edit | None], ...] = (
    ("salesforce/contacts", 300, _new_job),
    ("hubspot/contacts", 200, _new_mobile),
    ("portal/users", 60, _new_surname),
    ("salesforce/contacts", 40, _other_account),
    ("zendesk/users", 50, None),
    ("salesforce/accounts", 120, _moved_house),
    ("portal/accounts", 50, _other_group),
    ("hubspot/companies", 20, None),
    ("hubspot/line_items", 45, _other_price),
    ("airtable/prices", 15, _new_price),
)
NEW_SHARE = 0.1  # of what changes, people nobody knew


def change(store: Store, count: int, seed: int) -> int:
    """Edit, delete and add that many records, as refining would: each with a new seq. Returns how many."""
    dice, t = random.Random(seed), schema.refined
    with store.read() as c:
        last = latest(c)
        rows = []
        for stream, per_thousand, edit in CHANGES:
            wanted = round(per_thousand * count / 1000) or (1 if edit is _new_job else 0)
            rows += [(ref, edit) for ref in _some(c, dice, stream, wanted)]
        known = {r.ref: r for r in bulk.where_in(c, sa.select(t), t.c.ref, [ref for ref, _ in rows])}
    fresh = {}
    for n, (ref, edit) in enumerate(rows):
        row = known[ref]._asdict()
        if edit is None:
            row["deleted"] = True
        else:
            fields = json.loads(row["fields"])
            edit(fields, last + n)
            before = json.loads(row["fields"])
            times = json.loads(row["times"]) | {k: now_iso() for k in fields if fields[k] != before.get(k)}
            row |= {"fields": _compact(fields), "times": _compact(times)}
        fresh[ref] = row
    for n in range(round(count * NEW_SHARE)):
        row = _stranger(last + n, dice)
        fresh[row["ref"]] = row
    with store.write() as c:
        first = take(c, len(fresh))
        said = [row | {"seq": seq, "raw_seq": seq} for seq, row in enumerate(fresh.values(), first)]
        bulk.upsert(c, t, COLUMNS, [tuple(row[n] for n in COLUMNS) for row in said])
    return len(fresh)


def _some(c: sa.Connection, dice: random.Random, stream: str, wanted: int) -> list[str]:
    """Living records from everywhere in a stream: by chance, without reading it all."""
    t = schema.refined
    found: list[str] = []
    while len(found) < wanted:
        near = sa.select(t.c.ref).where(t.c.ref >= f"{stream}/{dice.randrange(1_000_000)}", ~t.c.deleted)
        ref = c.execute(near.order_by(t.c.ref).limit(1)).scalar()
        if ref and ref.startswith(f"{stream}/") and ref not in found:
            found.append(ref)
    return found


def _stranger(n: int, dice: random.Random) -> dict[str, object]:
    fields = {
        "first_name": f"Newton{n % 50}",
        "last_name": f"Comer{n}",
        "email": f"newton.comer{n}@mail.example",
        "language": "de",
        "account": f"salesforce/accounts/{dice.randrange(1000)}",
    }
    return {
        "ref": f"salesforce/contacts/new{n}", "entity": "contact", "system": "salesforce", "stream": "contacts",
        "pointer": "", "deleted": False, "updated": now_iso(), "fields": _compact(fields),
        "times": _compact(dict.fromkeys(fields, now_iso())), "echoes": "[]", "own": "{}", "edits": "[]",
        "problems": "{}",
    }  # fmt: skip


def _compact(said: dict[str, str]) -> str:
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False)
