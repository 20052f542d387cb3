"""Findings in words: which record, what it says and should say, why, and what somebody should do about it now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields as fields_of_dataclass
from typing import Any

import pyarrow as pa

from omnihub.engine import connection
from omnihub.model import FINDING_KINDS
from omnihub.report.facts import Item, KindCount

MAX_TEXT = 2_000  # characters of a value that reach a report; its whole length is told
FIX = 25  # findings shown per system; the files have the rest
EXAMPLES = 3  # findings shown per kind

FINDINGS = pa.schema(
    [
        (n, pa.string())
        for n in ("id", "kind", "severity", "entity", "system", "stream", "ref", "field", "golden_id", "owner")
    ]
    + [
        ("theirs", pa.string()),
        ("theirs_length", pa.int64()),
        ("expected", pa.string()),
        ("expected_length", pa.int64()),
    ]
    + [(n, pa.string()) for n in ("detail", "first_seen", "fields", "status", "plan_id", "refusal", "about")]
    + [("cause", pa.string()), ("at_stake_cents", pa.int64()), ("currency", pa.string()), ("customers", pa.int64())]
)
"""Open findings, each with what is needed to say what happens next: `fields` of its record (JSON), its `status` (one of
STATUSES), the plan its change is in, the words of a `refusal`; and the group it is told with (`about`).
"""

PARENTS = pa.schema([("ref", pa.string()), ("fields", pa.string())])
"""The orders and deals that lines belong to."""

SYSTEMS = pa.schema([("system", pa.string()), ("title", pa.string())])

STATUSES: dict[str, tuple[str, str]] = {
    "to_fix": ("to fix", ""),
    "refused": ("refused", "{title} refused the hub's correction ({refusal}): put it right there by hand."),
    "needs_approval": ("needs approval", "Nothing yet: it is in {plan}, which waits for an approval."),
    "planned": ("planned", "Nothing: it is in {plan}."),
    "deferred": ("deferred", "Nothing: the hub tries again with the next run."),
    "drifted": ("changed meanwhile", "Nothing: somebody changed it in the meantime; the next run looks again."),
    "corrected": ("corrected", "Nothing: the hub has put it right; it closes with the next read."),
}
"""status → its words, and what to do. In the order in which they matter to a person."""

MATTERS = "rank, step, at_stake_cents DESC, customers DESC, kind, ref, field"
"""What comes first: what is severe, what nobody else goes on with, what costs most and touches most."""

FOR_PEOPLE = ("to_fix", "refused")
WAITING = ("needs_approval", "planned", "deferred", "drifted")

WHYS: dict[str, str] = {
    "value_differs": "{winner} is believed: {rule}.",
    "value_invalid": "It looks like {detail}.",
    "duplicate": "Both are the same customer.",
    "orphan_link": "The record it points to is not there.",
    "consent_conflict": "The customer said no ({winner}); the strictest answer wins.",
    "sku_unknown": "The product master has no such SKU.",
    "sku_discontinued": "The product master has ended this product.",
    "product_differs": "The product master words it otherwise.",
    "price_differs": "The master's price for this customer group, currency, quantity and day is another.",
    "price_expired": "This was the price of a list that has ended.",
    "price_early": "This is the price of a list that has not begun.",
    "price_break": "The quantity reaches another price break of the list.",
    "price_group": "This is the price of another customer group.",
    "price_currency": "It is the price in another currency.",
    "price_tax": "One of the two is with tax, the other without.",
    "price_unit": "It is the price of another unit of the product.",
    "price_overlap": "Two of the master's lists hold on the same days and do not agree.",
    "sku_unreleased": "The product master has not released this product.",
    "sku_duplicate": "Another record here has the same SKU.",
    "product_missing": "The product master names this system among those that sell it.",
    "promotion_expired": "The master gives this offer other days.",
    "promotion_group": "The master means this offer for another customer group.",
    "promotion_product": "The master does not count this product among those of the offer.",
    "promotion_differs": "The master gives another discount.",
    "promotion_unclear": "An app works out what this offer gives; it was held against the master but for that.",
    "promotion_unknown": "The master has no such offer.",
    "order_state_differs": "The same order is in another state in {winner}.",
    "order_delivery_differs": "{winner}, where the order is delivered from, says otherwise.",
    "order_stock": "There is none, or not enough, where it is to ship from.",
    "answer_late": "First answer {took}; the standard of {channel} is {standard} h.",
    "solution_late": "Solution {took}; the standard of {channel} is {standard} h.",
}

STEPS: dict[str, str] = {
    "value_differs": "Correct it in {title}, or tell a steward that {title} is right.",
    "value_invalid": "Enter the real value, or leave the field empty.",
    "duplicate": "Merge the two records in {title}.",
    "orphan_link": "Point it to a record that exists, or take the link out.",
    "consent_conflict": "Take the permission out in {title}: no marketing until the customer says yes.",
    "sku_unknown": "Correct the SKU, or have the product added to the master.",
    "sku_discontinued": "Take it off sale in {title}.",
    "product_differs": "Use the master's words in {title}.",
    "price_differs": "Correct the price in {title}, or have the master's list corrected.",
    "price_expired": "Use the price of the list that is valid now.",
    "price_early": "Use the price of the list that is valid now, until the new one begins.",
    "price_break": "Use the price for this quantity.",
    "price_group": "Use the price of the customer's own group, or correct the group.",
    "price_currency": "Correct the currency in {title}, or the price in it.",
    "price_tax": "Enter the price in {title} as it is meant there: with tax, or without.",
    "price_unit": "Use the price of the unit that is sold here.",
    "price_overlap": "End one of the two lists in {title}, or make them agree.",
    "sku_unreleased": "Take it off sale in {title} until it is released, or release it in the master.",
    "sku_duplicate": "Keep one of the two in {title}.",
    "product_missing": "Offer it in {title}, or take {title} out of the channels in the master.",
    "promotion_expired": "End the offer in {title}, or give it the master's days.",
    "promotion_group": "Limit the offer in {title} to the customers it is meant for.",
    "promotion_product": "Take the product out of the offer in {title}, or add it in the master.",
    "promotion_differs": "Give the master's discount in {title}.",
    "promotion_unclear": "See in {title} that the offer gives what the master says, then ignore this until it changes.",
    "promotion_unknown": "End the offer in {title}, or enter it in the master.",
    "order_state_differs": "Find out what is so, and put the other right.",
    "order_delivery_differs": "Find out where it is to go, and put the other right before it leaves.",
    "order_stock": "Ship it from where there is enough, or correct the stock.",
    "answer_late": "Answer, and find out why it took so long.",
    "solution_late": "Solve it, and find out why it took so long.",
    "target_cannot_hold": "Shorten the value in the golden record, or lengthen the field in {title}.",
}

LINE_STEP = "Check what was agreed with the customer, then correct the price here or the list in the master."

PROMISE_STEP = "Check what was agreed with the customer, then keep it, or tell them the price that holds."

LATE = ("answer_late", "solution_late")
"""Kinds that are about when something was done."""

SHOULD_SAY: dict[str, str] = {
    "duplicate": "one record with {expected}",
    "orphan_link": "a record that exists",
} | dict.fromkeys(LATE, "by {expected}")

RULES: dict[str, str] = {
    "trusted": "the most trusted, most recent value wins",
    "recent": "the most recent value wins",
    "order": "the system that comes first in the order wins",
    "frequent": "the value most records have wins",
    "complete": "the most complete value wins",
    "union": "all values there are stand together",
    "strictest": "the strictest answer wins",
    "master": "the master is right",
    "pin": "a steward has set this value",
}

PROMISES: dict[str, str] = {"answered_at": "First answer", "solved_at": "Solution"}
"""What a channel promises, by the field that says when it was kept."""

FIELD_WORDS: dict[str, str] = {
    "vat_id": "VAT number",
    "sku": "SKU",
    "gtin": "GTIN",
    "email": "e-mail",
    "answered_at": "first answer",
    "solved_at": "solution",
    "marketing_consent": "marketing permission",
    "job_title": "job title",
}


def in_words(name: str) -> str:
    """A field, kind or state as people write it."""
    return FIELD_WORDS.get(name, name.replace("_", " ").replace("sku", "SKU"))


def listed(some: Sequence[str]) -> str:
    """a, b and c"""
    return f"{', '.join(some[:-1])} and {some[-1]}" if len(some) > 1 else "".join(some)


def count(n: int, noun: str) -> str:
    """1 record, 2 records"""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


class Digest:
    """Puts findings into words, a slice at a time, and keeps count of them."""

    def __init__(self, systems: pa.Table) -> None:
        self._con = connection()
        self._con.register("systems", systems)
        for name, table in _lookups().items():
            self._con.register(name, table)
        self._con.execute(_KEPT)

    def __enter__(self) -> Digest:
        return self

    def __exit__(self, *_: object) -> None:
        self._con.close()

    def add(self, found: pa.Table, parents: pa.Table) -> list[Item]:
        """These findings in words, in the order given, and counted."""
        self._con.register("found", found.append_column("place", pa.array(range(found.num_rows), pa.int64())))
        self._con.register("parents", parents)
        self._con.execute(_WORDED)
        self._con.execute(_COUNT)
        self._con.execute(_FIRST)
        self._con.execute(_EXAMPLES)
        worded = self._items("SELECT {columns} FROM worded ORDER BY place")
        self._con.execute("DROP TABLE worded")
        return worded

    def fix(self, system: str) -> tuple[Item, ...]:
        """What people should fix first in one system."""
        return tuple(self._items(f"SELECT {{columns}} FROM first WHERE system = $of ORDER BY {MATTERS}", system))

    def counts(self, system: str) -> dict[str, int]:
        """findings, for_people, urgent, waiting, corrected of one system."""
        rows = self._con.execute(
            "SELECT status, severity, sum(n)::BIGINT FROM counts WHERE system = $of GROUP BY ALL", {"of": system}
        ).fetchall()
        people = [(severity, n) for status, severity, n in rows if status in FOR_PEOPLE]
        return {
            "findings": sum(n for _, _, n in rows),
            "for_people": sum(n for _, n in people),
            "urgent": sum(n for severity, n in people if severity == "high"),
            "waiting": sum(n for status, _, n in rows if status in WAITING),
            "corrected": sum(n for status, _, n in rows if status == "corrected"),
        }

    def kinds(self) -> tuple[KindCount, ...]:
        """The open findings by kind, what matters most first."""
        people = ", ".join(f"'{s}'" for s in FOR_PEOPLE)
        rows = self._con.execute(
            f"""SELECT kind, any_value(severity), sum(n)::BIGINT,
                       coalesce(sum(n) FILTER (status IN ({people})), 0)::BIGINT
                FROM counts GROUP BY kind ORDER BY min(rank), 3 DESC, kind"""
        ).fetchall()
        return tuple(self._kind(*row) for row in rows)

    def _kind(self, kind: str, severity: str, count: int, for_people: int) -> KindCount:
        examples = self._items("SELECT {columns} FROM examples WHERE kind = $of ORDER BY step, ref, field", kind)
        return KindCount(kind, title(kind), means(kind), severity, count, for_people, tuple(examples))

    def _items(self, query: str, of: str | None = None) -> list[Item]:
        names = [f.name for f in fields_of_dataclass(Item)]
        return [
            Item(*row)
            for row in self._con.execute(query.format(columns=", ".join(names)), {"of": of} if of else None).fetchall()
        ]


def title(kind: str) -> str:
    """A kind of finding as a heading."""
    words = in_words(kind)
    return words[:1].upper() + words[1:]


def means(kind: str) -> str:
    """What a kind of finding means."""
    return FINDING_KINDS[kind].means if kind in FINDING_KINDS else title(kind)


NAMED_BY = ("name", "subject", "number", "sku", "email", "serial")
"""What a record without a first and last name is called by, the first that it has."""


LABELLED_BY = frozenset({"first_name", "last_name", *NAMED_BY})
"""All that `label` looks at."""


def label(fields: Mapping[str, str | None]) -> str:
    """What people call the record with these fields; empty where it has nothing to be called by."""
    full = " ".join(part for part in (fields.get("first_name"), fields.get("last_name")) if part)
    return full or next((value for name in NAMED_BY if (value := fields.get(name))), "")


def _lookups() -> dict[str, pa.Table]:
    return {
        "whys": _two("kind", "why", WHYS.items()),
        "steps": _two("kind", "step", STEPS.items()),
        "shoulds": _two("kind", "should", SHOULD_SAY.items()),
        "rules": _two("rule", "words", RULES.items()),
        "field_words": _two("field", "words", FIELD_WORDS.items()),
        "statuses": pa.table(
            {
                "status": pa.array(STATUSES, pa.string()),
                "step": pa.array(range(len(STATUSES)), pa.int64()),
                "todo": pa.array([todo for _, todo in STATUSES.values()], pa.string()),
            }
        ),
    }


def _two(key: str, value: str, pairs: Iterable[tuple[str, Any]]) -> pa.Table:
    told = list(pairs)
    return pa.table(
        {key: pa.array([k for k, _ in told], pa.string()), value: pa.array([v for _, v in told], pa.string())}
    )


def _label(fields: str) -> str:
    """`label` in SQL."""
    parts = [f"json_extract_string({fields}, '$.{name}')" for name in NAMED_BY]
    first, last = (f"json_extract_string({fields}, '$.{name}_name')" for name in ("first", "last"))
    return f"coalesce(nullif(concat_ws(' ', {first}, {last}), ''), {', '.join(parts)})"


def _moment(text: str) -> str:
    """A time for people, in SQL."""
    return f"replace(left({text}, 16), 'T', ' ') || ' UTC'"


_ITEM = ", ".join(f"{f.name} {'BIGINT' if f.type == 'int' else 'VARCHAR'}" for f in fields_of_dataclass(Item))

_KEPT = f"""
CREATE TEMP TABLE counts (system VARCHAR, kind VARCHAR, severity VARCHAR, rank BIGINT, status VARCHAR, n BIGINT);
CREATE TEMP TABLE first ({_ITEM}, place BIGINT, rank BIGINT, step BIGINT);
CREATE TEMP TABLE examples ({_ITEM}, place BIGINT, rank BIGINT, step BIGINT);
"""

_WORDED = rf"""
CREATE TEMP TABLE worded AS
WITH seen AS (
    SELECT f.*, coalesce(s.title, f.system) AS title,
           json_extract_string(detail, '$.winner') AS winner,
           CASE WHEN kind LIKE 'price%'
                THEN coalesce(' ' || json_extract_string(fields, '$.currency'), '') ELSE '' END AS unit,
           CASE severity WHEN 'high' THEN 0 WHEN 'medium' THEN 1 WHEN 'low' THEN 2 ELSE 3 END AS rank
    FROM found AS f LEFT JOIN systems AS s ON s.system = f.system)
SELECT f.id, f.severity, f.kind, f.system, f.entity, f.stream,
       coalesce({_label("f.fields")}, f.ref) || coalesce(' in ' || {_label("p.fields")}, '') AS record,
       f.ref, coalesce(w.words, replace(f.field, '_', ' ')) AS field,
       CASE WHEN f.kind IN {LATE} THEN {_moment("f.theirs")} ELSE f.theirs || f.unit END AS says,
       CASE WHEN f.unit = '' AND f.kind NOT IN {LATE} THEN coalesce(f.theirs_length, 0) ELSE 0 END AS says_length,
       CASE WHEN o.should IS NOT NULL THEN replace(o.should, '{{expected}}', coalesce(
                CASE WHEN f.kind IN {LATE} THEN {_moment("f.expected")} ELSE f.expected END, 'another'))
            WHEN f.kind LIKE 'price%' THEN regexp_replace(f.expected, '(\.\d\d\d*?)0+$', '\1') || f.unit
            ELSE f.expected END AS should_say,
       CASE WHEN o.should IS NULL AND f.kind NOT LIKE 'price%'
            THEN coalesce(f.expected_length, 0) ELSE 0 END AS should_say_length,
       replace(replace(replace(replace(replace(replace(coalesce(y.why, ''),
           '{{took}}', coalesce('after ' || json_extract_string(f.detail, '$.took') || ' h', 'still missing')),
           '{{channel}}', coalesce(h.words, json_extract_string(f.detail, '$.channel'), '')),
           '{{standard}}', coalesce(json_extract_string(f.detail, '$.standard'), '')),
           '{{winner}}', coalesce(b.title, split_part(f.winner, '/', 1), 'another system')),
           '{{rule}}', coalesce(r.words, 'its value wins')),
           '{{detail}}', coalesce(json_extract_string(f.detail, '$.why'), 'a mistake')) AS why,
       f.first_seen AS since, f.status,
       replace(replace(replace(
           CASE WHEN f.status <> 'to_fix' THEN t.todo
                WHEN f.entity = 'line' AND f.kind LIKE 'price%' THEN '{LINE_STEP}'
                WHEN f.entity = 'ticket' AND f.kind LIKE 'price%' THEN '{PROMISE_STEP}'
                ELSE coalesce(n.step, 'Look at it in {{title}}.') END,
           '{{title}}', f.title), '{{refusal}}', coalesce(f.refusal, '')),
           '{{plan}}', coalesce(f.plan_id, 'the plan')) AS next_step,
       coalesce(v.title, f.owner) AS owner, f.golden_id,
       f.cause, f.at_stake_cents, f.currency, f.customers, f.about,
       f.place, f.rank, t.step
FROM seen AS f
JOIN statuses AS t ON t.status = f.status
LEFT JOIN parents AS p ON f.entity = 'line' AND p.ref = json_extract_string(f.fields, '$.of')
LEFT JOIN field_words AS w ON w.field = f.field
LEFT JOIN field_words AS h ON h.field = json_extract_string(f.detail, '$.channel')
LEFT JOIN shoulds AS o ON o.kind = f.kind
LEFT JOIN whys AS y ON y.kind = f.kind
LEFT JOIN steps AS n ON n.kind = f.kind
LEFT JOIN rules AS r ON r.rule = json_extract_string(f.detail, '$.rule')
LEFT JOIN systems AS b ON b.system = split_part(f.winner, '/', 1)
LEFT JOIN systems AS v ON v.system = f.owner
"""

_COUNT = """
INSERT INTO counts SELECT system, kind, severity, rank, status, count(*) FROM worded GROUP BY ALL
"""

_FIRST = f"""
CREATE OR REPLACE TEMP TABLE first AS
SELECT * FROM (FROM first UNION ALL FROM worded)
WHERE status IN ({", ".join(f"'{s}'" for s in FOR_PEOPLE)})
QUALIFY row_number() OVER (PARTITION BY system ORDER BY {MATTERS}) <= {FIX}
"""

_EXAMPLES = f"""
CREATE OR REPLACE TEMP TABLE examples AS
SELECT * FROM (FROM examples UNION ALL FROM worded)
QUALIFY row_number() OVER (PARTITION BY kind ORDER BY step, ref, field) <= {EXAMPLES}
"""
