"""What is compared of two products.

A SKU decides alone, a GTIN nearly so: a product that has one (`numbered`) is never joined to another by words. What
its title or the maker's number proposes goes to a person. Two catalogues without such numbers are matched by what they
say: the words of title and maker, each as much as it is rare, numbers and codes in them, what makes a variant another
one (platform, upgrade, edition, colour), and the price.
"""

from __future__ import annotations

from omnihub.match import titles
from omnihub.match.model import ELSE, OTHERWISE, Comparison, Thresholds, bits, never, silent
from omnihub.match.spec import Derived, Spec, key_of
from omnihub.model import Kind

DERIVED = (
    Derived("sku", "sku", key_of(Kind.SKU)),
    Derived("gtin", "gtin", key_of(Kind.GTIN)),
    Derived("mpn", "mpn", key_of(Kind.SKU)),
    Derived("maker", "manufacturer", key_of(Kind.COMPANY)),
    Derived("title", "name", titles.read),
    Derived("said_codes", "description", titles.codes),
    Derived("amount", "price", titles.amount),
    Derived("currency", "currency", key_of(Kind.CURRENCY)),
)

HEAVIEST = 4096  # sixteenths of a bit: more than any word can weigh
UNCOUNTED = 1 / 64  # of the records say a word, where nobody counted them

# A title is read once, into parts; see `titles.PARTS` for their order.
_PARTS = ", ".join(
    f"nullif(split_part(title, '{titles.BETWEEN}', {n}), '') AS {part}" for n, part in enumerate(titles.PARTS, start=1)
)

FEATURES = f"""
    WITH told AS (SELECT * EXCLUDE (title, amount), amount::DOUBLE AS price, {_PARTS} FROM derived),
         listed AS (
             SELECT *, coalesce(string_split(words, ' '), []) AS own,
                    coalesce(string_split(title_codes, ' '), []) AS in_title,
                    coalesce(string_split(said_codes, ' '), []) AS in_description,
                    list_filter([mpn], lambda n: n IS NOT NULL) AS numbers_of_maker
             FROM told)
    SELECT * EXCLUDE (words, own, title_codes, said_codes, in_title, in_description, numbers_of_maker),
           sku IS NOT NULL OR gtin IS NOT NULL AS numbered, own AS title, array_to_string(own, '') AS run_together,
           list_distinct(list_concat(coalesce(string_split(maker, ' '), []), own)) AS words,
           list_distinct(list_concat(numbers_of_maker, in_title)) AS codes,
           list_distinct(list_concat(numbers_of_maker, in_title, in_description)) AS mentioned
    FROM listed"""

KEYS = (
    "'s:' || sku",
    "'g:' || gtin",
    "'m:' || unnest(codes)",
    "'x:' || CASE WHEN length(run_together) >= 8 THEN run_together END",
    "'t:' || CASE WHEN len(title) > 1 THEN array_to_string(list_sort(title), ' ') END",
    "'w:' || unnest(CASE WHEN NOT numbered THEN words END)",
    """'w:' || unnest(CASE WHEN NOT numbered THEN list_transform(list_zip(title[:-2], title[2:]),
                      lambda p: least(p[1], p[2]) || ' ' || greatest(p[1], p[2])) END)""",
)

HOLDERS = "SELECT NULL::VARCHAR AS value, NULL::VARCHAR AS holder FROM features WHERE false"

# A word weighs as much as it is rare, in sixteenths of a bit: of whole numbers the sum does not depend on the order. A
# term is a word and its weight in one number, which is compared faster than text: the weight is its last 12 bits.
READY = f"""
    WITH said AS (SELECT ref, unnest(words) AS word FROM features),
         weighed AS (
             SELECT ref, word, round(-16 * log2(coalesce(share, (SELECT min(share) FROM rarity_words), {UNCOUNTED})))
                    ::BIGINT AS weight
             FROM said LEFT JOIN rarity_words ON value = word),
         counted AS (
             SELECT ref, list((hash(word) % {2**40})::BIGINT * {HEAVIEST} + weight ORDER BY word) AS terms,
                    sqrt(sum(weight * weight)) AS length, sum(weight)::BIGINT AS all_said
             FROM weighed GROUP BY ref)
    SELECT f.*, counted.terms, counted.length, counted.all_said FROM features AS f LEFT JOIN counted USING (ref)"""

_SHARED = "list_intersect(terms_l, terms_r)"
_SQUARES = f"list_sum(list_transform({_SHARED}, lambda t: (t % {HEAVIEST}) * (t % {HEAVIEST})))"
_WEIGHTS = f"list_sum(list_transform({_SHARED}, lambda t: t % {HEAVIEST}))"
_NUMBERED = silent("numbered_l OR numbered_r")
_WORDLESS = silent("numbered_l OR numbered_r OR terms_l IS NULL OR terms_r IS NULL")


_TELLING = ("numbers", "platforms", "grades", "colors", "languages")  # parts of a title in which variants differ


def _below(measure: str, *steps: tuple[float, str, float], above: float) -> Comparison:
    """Levels from little to much: most candidates have little in common, and no more is asked of them."""
    return (
        _WORDLESS,
        bits(f"coalesce({measure}, 0) < {steps[0][0]} * {steps[0][1]}", steps[0][2]),
        *(bits(f"{measure} < {most} * {of}", weight) for most, of, weight in steps[1:]),
        bits(ELSE, above),
    )


# How rarely two candidates are one at all is part of what `words` says: 4.5 bits stand for even. The weights follow
# what was measured on half of a known truth (software in two shops), smoothed, and stronger where variants differ.


def _alike(*steps: tuple[float, float], above: float) -> Comparison:
    """The cosine of what the two say, each word as long as it is rare."""
    return _below(_SQUARES, *((most, "length_l * length_r", weight) for most, weight in steps), above=above)


def _variant(column: str, *, none: float, equal: float, one: float, some: float, other: float) -> Comparison:
    """A part of the title in which variants differ. one: only one side says it; some: they share a part of it."""
    return (
        _WORDLESS,
        bits(f"{column}_l IS NULL AND {column}_r IS NULL", none),
        bits(f"{column}_l IS NULL OR {column}_r IS NULL", one),
        bits(f"{column}_l = {column}_r", equal),
        bits(f"list_has_any(string_split({column}_l, ' '), string_split({column}_r, ' '))", some),
        bits(ELSE, other),
    )


def _mark(column: str, one: float) -> Comparison:
    """What makes another product where only one side says it."""
    return (_WORDLESS, bits(f"{column}_l IS DISTINCT FROM {column}_r", one), OTHERWISE)


def _within(ratio: float) -> str:
    return f"greatest(price_l, price_r) <= {ratio} * least(price_l, price_r)"


COMPARISONS: dict[str, Comparison] = {
    "sku": (bits("sku_l = sku_r", 14), never("sku_l <> sku_r"), OTHERWISE),
    "gtin": (bits("gtin_l = gtin_r", 12), bits("gtin_l <> gtin_r", -3), OTHERWISE),
    "proposed": (  # enough for a person to look at, never enough to join
        bits("NOT numbered_l AND NOT numbered_r", 0),
        bits("mpn_l = mpn_r AND coalesce(maker_l = maker_r, true)", 6.5),
        bits("mpn_l <> mpn_r", 0),
        bits(" OR ".join(f"{part}_l <> {part}_r" for part in _TELLING), 0),
        bits(f"list_has_any(codes_l, codes_r) AND {_SQUARES} >= 0.2 * length_l * length_r", 6.5),
        bits(f"{_SQUARES} >= 0.8 * length_l * length_r", 6),
        OTHERWISE,
    ),
    "words": _alike(
        (0.25, 0.5), (0.3, 1.5), (0.35, 2), (0.4, 3), (0.45, 4), (0.5, 4.5), (0.55, 4.9), (0.6, 5.1), (0.65, 5.3),
        (0.7, 5.5), (0.75, 5.7), (0.8, 5.9), (0.85, 6.1), (0.9, 6.3), (0.95, 6.7), above=7.5,
    ),
    "covered": _below(
        _WEIGHTS, *((most, "least(all_said_l, all_said_r)", w) for most, w in ((0.4, -0.8), (0.5, -0.3), (0.97, 0))),
        above=1.2,
    ),
    "rarity": _below(
        _WEIGHTS, *((16 * most, "1", w) for most, w in ((8, -2), (12, -1.5), (16, -0.6), (25, 0.3), (40, 0.9))),
        above=1.7,
    ),
    "spelling": (  # photo story, photostory
        _WORDLESS,
        bits(
            f"""least(length(run_together_l), length(run_together_r)) >= 8
               AND (contains(run_together_l, run_together_r) OR contains(run_together_r, run_together_l))
               AND coalesce({_WEIGHTS}, 0) < 0.8 * least(all_said_l, all_said_r)""",
            3,
        ),
        OTHERWISE,
    ),
    "codes": (
        _NUMBERED,
        bits("mpn_l = mpn_r", 7),
        bits("mpn_l <> mpn_r AND maker_l = maker_r", -8),
        bits("mpn_l <> mpn_r", -4),
        bits("list_has_any(codes_l, codes_r)", 5),
        bits("list_has_any(codes_l, mentioned_r) OR list_has_any(mentioned_l, codes_r)", 3),
        bits("codes_l[1] IS NOT NULL AND codes_r[1] IS NOT NULL", -2),
        OTHERWISE,
    ),
    "numbers": _variant("numbers", none=0.4, equal=0.5, one=-0.6, some=-0.6, other=-2.5),
    "platform": _variant("platforms", none=0, equal=0.4, one=0.5, some=0, other=-3.5),
    "grade": _variant("grades", none=0.8, equal=0.4, one=-0.8, some=0, other=-2.6),
    "color": _variant("colors", none=0, equal=0.5, one=-0.2, some=0, other=-3.5),
    "language": _variant("languages", none=0, equal=0.5, one=-0.3, some=0, other=-3.5),
    "upgrade": _mark("upgrade", -2.4),
    "academic": _mark("academic", -1),
    "condition": _mark("condition", -1.5),
    "price": (
        _NUMBERED,
        silent("price_l IS NULL OR price_r IS NULL OR currency_l <> currency_r"),
        bits(_within(1.25), 1),
        bits(_within(1.45), 0.4),
        bits(_within(2), -0.6),
        bits(ELSE, -2),
    ),
}  # fmt: skip

SPEC = Spec(
    DERIVED,
    FEATURES,
    KEYS,
    (),
    HOLDERS,
    READY,
    COMPARISONS,
    (),
    Thresholds(same=10.0, unsure=5.0),
    ("l.sku = r.sku", "l.gtin = r.gtin"),
    words=("words",),
    assigned=Thresholds(same=6.5, unsure=5.0),
)
