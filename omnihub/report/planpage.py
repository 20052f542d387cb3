"""A told plan for people: one HTML file that needs nothing else, Markdown for a ticket, a sentence for a terminal."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from importlib.resources import files
from typing import Any

from markupsafe import Markup, escape

from omnihub.report.page import CONTROL, environment, moment, number
from omnihub.report.planned import UNUSUAL, WHOLE, Customer, Edit, Record, Share, Story
from omnihub.report.wording import count, listed

PAGE = 400  # customers drawn; with more a browser gets slow, and nobody reads them
FIRST = 12  # of what is unusual, named on the first screen
MERGES = 25  # proposals drawn
LIMITS = 12  # passed limits drawn
MAX_SHOWN = 600  # characters of a value on the page
AROUND = 60  # of a long text, so much is shown on both sides of what changes
TOKENS = 300  # words compared one by one; of a longer change only the beginning is
ALIKE = 0.3  # texts that have less in common are shown as two, not as one with changes

MAX_MARKDOWN = 60_000  # characters; most trackers refuse a little more
MAX_CELL = 200  # characters of a value in Markdown

STATES: dict[str, tuple[str, str]] = {
    "ready": ("○ waits to be carried out", "ok"),
    "blocked": ("✕ stopped by a limit", "red"),
    "approved": ("○ approved, not carried out yet", "ok"),
    "applying": ("◐ begun, and not yet finished", "partial"),
    "applied": ("✓ carried out", "ok"),
    "outdated": ("– replaced by a later plan", "partial"),
    "dry run": ("○ dry run: nothing is written", "ok"),
    "nothing to do": ("✓ nothing to do", "ok"),
}
"""state → its words, and how they are coloured."""

ENTITIES: dict[str, tuple[str, str]] = {
    "account": ("company", "companies"),
    "contact": ("person", "persons"),
    "product": ("product", "products"),
}

OUTCOMES: dict[str, str] = {
    "written": "✓ written",
    "refused": "✕ refused",
    "deferred": "◐ put off",
    "drifted": "◐ changed meanwhile, left as it is",
}

KINDS = {"undo": "Undo", "redo": "Undo of the undo", "replay": "Refused before, tried again", "forget": "Erasure"}

RECORD_OPS = {"create": "new record", "delete": "deleted", "link": "known again", "unlink": "let go of"}

LOOKED = {
    "could not look": "could not be looked at, so nothing is planned there; omnihub status says why",
    "not supported": "is only read: the hub does not write there",
}


# -- sentences -------------------------------------------------------------------------------------------------------


def headline(story: Story) -> str:
    """What the plan comes to, in one line."""
    if not story.changes and (notices := taken_back(story)):
        return f"{KINDS[story.head.kind]}: {count(sum(notices.values()), 'notice')} in {count(len(notices), 'system')}"
    if not story.changes:
        if story.only:
            return "Nothing is planned here"
        return "Nothing is planned" if story.blind else "Nothing to write: what the hub may correct agrees"
    kind = KINDS.get(story.head.kind)
    first = f"{kind}: {count(story.changes, 'field')}" if kind else count(story.changes, "change")
    systems = [s for s in story.shares if s.changes]
    return f"{first} for {listed(entities(story))}, in {count(len(systems), 'system')}"


def taken_back(story: Story) -> dict[str, int]:
    """What people call a system → how many notices an undo takes back there."""
    return _taken_back(story.head.about or {})


def notices_of(about: Mapping[str, Any]) -> list[str]:
    """What an undo takes back of them, in a line; none where there is nothing."""
    each = [f"{number(n)} in {system}" for system, n in _taken_back(about).items()]
    return [f"Notices people were shown go back to how they stood: {listed(each)}. {TOLD_AGAIN}"] if each else []


def _taken_back(about: Mapping[str, Any]) -> dict[str, int]:
    told = about.get("notices") or {"systems": {}}
    return {told["titles"][system]: back["removed"] + back["restored"] for system, back in told["systems"].items()}


def entities(story: Story) -> list[str]:
    """3 companies, 1 person"""
    return [f"{number(n)} {ENTITIES.get(name, (name, f'{name}s'))[n != 1]}" for name, n in story.entities.items()]


def unusual(story: Story) -> list[str]:
    """2 fields emptied, 1 price changed"""
    return [f"{number(n)} {UNUSUAL[name][n != 1]}" for name, n in story.unusual.items()]


def cost(story: Story) -> str:
    """About 34 calls, 2 minutes; empty where nobody knows."""
    if not story.calls:
        return ""
    minutes = story.minutes
    if minutes is None:
        return f"about {count(story.calls, 'call')}"
    took = "under a minute" if minutes < 1 else f"about {count(round(minutes), 'minute')}"
    return f"about {count(story.calls, 'call')}, {took}"


def sentence(record: Record, edit: Edit) -> str:
    """One change, as one would say it."""
    said = agreeing(edit)
    return f"{_happens(record, edit)}, because {edit.because}" + (f"; {said}" if said else "")


def _happens(record: Record, edit: Edit) -> str:
    at = f"the {edit.field} in {record.title}"
    if record.op == "create":
        return f"a new record in {record.title} gets the {edit.field} {_quoted(edit.new)}"
    if record.op == "delete":
        return f"the record in {record.title} is deleted, with the {edit.field} {_quoted(edit.old)}"
    if record.op == "link":
        return f"the record in {record.title} is the hub's own again"
    if record.op == "unlink":
        return f"the hub lets go of the record in {record.title}, which stays as it is"
    if edit.old is None:
        return f"{at}, empty so far, becomes {_quoted(edit.new)}"
    if edit.new is None:
        return f"{at} is emptied; it says {_quoted(edit.old)}"
    return f"{at} changes from {_quoted(edit.old)} to {_quoted(edit.new)}"


def _quoted(text: str | None) -> str:
    return "nothing" if text is None else f"“{_clean(text)}”"


def agreeing(edit: Edit) -> str:
    """Who says the same already."""
    if not edit.agree:
        return ""
    many = f"{len(edit.agree)} other systems" if len(edit.agree) > 2 else listed(edit.agree)
    return f"{many} {'say' if len(edit.agree) > 1 else 'says'} the same"


def _clean(text: str) -> str:
    return CONTROL.sub("�", text)


# -- old → new -------------------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"[-+]?[\d.,]+")
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


def diffed(old: str | None, new: str | None) -> tuple[Markup, Markup]:
    """Both values with what goes and what comes marked, also inside long texts, of which only that part is shown."""
    if old is None or new is None or (_NUMBER.fullmatch(old) and _NUMBER.fullmatch(new)):
        return _whole(old, "del"), _whole(new, "ins")
    before, gone, come, after = _parted(_clean(old), _clean(new))
    a, b = _TOKEN.findall(gone), _TOKEN.findall(come)
    more = (len(a) > TOKENS, len(b) > TOKENS)
    matched = SequenceMatcher(None, a[:TOKENS], b[:TOKENS], autojunk=False)
    if not before and not after and matched.ratio() < ALIKE:
        return _whole(old, "del"), _whole(new, "ins")
    ops = matched.get_opcodes()
    left = _marked((("del" if op != "equal" else "", "".join(a[i:j])) for op, i, j, _, _ in ops), more[0])
    right = _marked((("ins" if op != "equal" else "", "".join(b[k:m])) for op, _, _, k, m in ops), more[1])
    head, tail = escape(_end(before)), escape(_beginning(after))
    return Markup("<bdi>{}{}{}</bdi>").format(head, left, tail), Markup("<bdi>{}{}{}</bdi>").format(head, right, tail)


def _end(text: str) -> str:
    return text if len(text) <= 2 * AROUND else f"…{text[-AROUND:]}"


def _beginning(text: str) -> str:
    return text if len(text) <= 2 * AROUND else f"{text[:AROUND]}…"


def _excerpts(old: str | None, new: str | None) -> tuple[str | None, str | None]:
    """Of two long values, where they differ."""
    if old is None or new is None or max(len(old), len(new)) <= MAX_CELL:
        return old, new
    before, gone, come, after = _parted(old, new)
    return _end(before) + gone + _beginning(after), _end(before) + come + _beginning(after)


def _parted(old: str, new: str) -> tuple[str, str, str, str]:
    """What both begin with (whole words), what is between in each, what both end with."""
    start = _alike(old, new)
    a, b = old[start:], new[start:]
    end = _alike(a[::-1], b[::-1])
    return old[:start], a[: len(a) - end], b[: len(b) - end], a[len(a) - end :]


def _alike(one: str, other: str) -> int:
    """How far both begin the same, but not into a word that goes on in either."""
    pairs = enumerate(zip(one, other, strict=False))
    at = next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))
    while at > 0 and any(at < len(text) and text[at].isalnum() and text[at - 1].isalnum() for text in (one, other)):
        at -= 1
    return at


_WRAPS = {
    "": Markup("{}"),
    "del": Markup("<del>{}</del>"),
    "ins": Markup("<ins>{}</ins>"),
}


def _marked(parts: Iterable[tuple[str, str]], more: bool) -> Markup:
    return Markup("").join(_WRAPS[tag].format(text) for tag, text in parts if text) + ("…" if more else "")


def _whole(text: str | None, tag: str) -> Markup:
    if text is None or text == "":
        return Markup('<span class="none">nothing</span>')
    note = f"… ({len(text):,} characters in all)" if len(text) > MAX_SHOWN else ""
    return Markup("<bdi>{}</bdi>{}").format(_WRAPS[tag].format(_clean(text[:MAX_SHOWN])), note)


# -- the page --------------------------------------------------------------------------------------------------------


def render_plan(story: Story, most: int = PAGE, elsewhere: str = "") -> str:
    """The page. elsewhere: where the customers that are not drawn can be read."""
    script = (files("omnihub.report") / "templates" / "filter.js").read_text(encoding="utf-8")
    made = environment()
    made.filters |= {"diffed": lambda edit: diffed(edit.old, edit.new), "agreeing": agreeing, "about": about}
    made.filters |= {"listed": listed}
    drawn = story.customers[:most]
    return made.get_template("plan.html").render(
        story=story,
        head=story.head,
        headline=headline(story),
        entities=entities(story),
        unusual=unusual(story),
        cost=cost(story),
        state=STATES.get(story.head.state, (story.head.state, "partial")),
        kinds=KINDS,
        outcomes=OUTCOMES,
        things=ENTITIES,
        flags=UNUSUAL,
        looked=LOOKED,
        ops=RECORD_OPS,
        limits=LIMITS,
        drawn=drawn,
        merges=story.merges[:MERGES],
        first=_some_of_each(_unusual_first(drawn), len(story.unusual)),
        first_of=sum(story.unusual.values()),
        bars=_bars(story.shares),
        systems=sorted({(r.system, r.title) for c in drawn for r in c.records}, key=lambda one: one[1]),
        elsewhere=elsewhere,
        script=Markup(script),  # noqa: S704  our own file
        # Only this very script may run: whatever a value says, it is text.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


_Odd = tuple[Customer, Record, Edit]


def _unusual_first(customers: Iterable[Customer]) -> Iterator[_Odd]:
    """One line for each, the whole of a new record being one."""
    for customer in customers:
        for record in customer.records:
            found = [e for e in record.edits if e.unusual]
            for edit in found[:1] if record.op in WHOLE else found:
                yield customer, record, edit


def _some_of_each(found: Iterable[_Odd], kinds: int) -> list[_Odd]:
    """The first of each kind, so that many of one leave room for the others."""
    most, seen, shown = max(3, FIRST // max(1, kinds)), Counter[str](), []
    for one in found:
        seen[one[2].unusual] += 1
        if seen[one[2].unusual] <= most:
            shown.append(one)
    return shown


PARTS = (
    ("changed", "changed", "corrected"),
    ("filled", "empty so far, filled", "equal"),
    ("emptied", "emptied", "differs"),
    ("made", "in new or deleted records", "made"),
)


def _bars(shares: Sequence[Share]) -> list[tuple[str, int, list[tuple[str, str, int]]]]:
    """System, changes, and its parts: css, words, how many."""
    return [
        (s.title, s.changes, [(css, words, getattr(s, name)) for name, words, css in PARTS])
        for s in shares
        if s.changes
    ]


# -- Markdown --------------------------------------------------------------------------------------------------------


def markdown(story: Story, limit: int = MAX_MARKDOWN) -> str:
    """For a ticket or a merge request: what it comes to, then a row a change, as many as there is room for."""
    head = "\n".join(_summary(story))
    lines, used, done = [], len(head) + 400, 0
    for line, edits in _rows(story):
        if used + len(line) + 1 > limit:
            break
        lines.append(line)
        used += len(line) + 1
        done += edits
    told = [head]
    if lines:
        told += [
            "",
            "| Customer | System | Field | Now | Will be | Why |",
            "| --- | --- | --- | --- | --- | --- |",
            *lines,
        ]
    if done < story.changes:
        told += ["", f"… and {count(story.changes - done, 'change')} more: `omnihub plan show {_id(story)} --json`"]
    return "\n".join(told) + "\n"


def _id(story: Story) -> str:
    return story.head.id or ""


def _summary(story: Story) -> Iterator[str]:
    yield f"## {headline(story)}"
    yield ""
    told = [STATES.get(story.head.state, (story.head.state, ""))[0], *([cost(story)] if cost(story) else [])]
    name = f"`{story.head.id}` · " if story.head.id else ""
    yield f"{name}{' · '.join(told)} · hash `{story.head.hash[:12]}`"
    if story.only:
        yield f"\nOnly {_inline(story.only)}, of {count(int(story.head.counts.get('planned', 0)), 'change')} in all."
    for line in about(story):
        yield f"\n{_plainly(line)}"
    for stop in story.stops[:FIRST]:
        yield f"\n**Stopped:** {_plainly(stop)}"
    if story.head.state == "blocked":
        yield f"\nLet it pass with `omnihub approve {_id(story)} --because …`"
    if story.unusual:
        yield f"\n**Look at these first:** {', '.join(unusual(story))}."
    for line in story.kept_back[:FIRST]:
        yield f"\n**Kept back:** {_plainly(line)}"
    yield from _systems(story.shares)
    for line in story.idle[:FIRST]:
        yield f"\nNot planned: {_plainly(line)}"
    if story.merge_count:
        yield f"\n{count(story.merge_count, 'merge')} of duplicates proposed, to be done by hand."


def _systems(shares: Sequence[Share]) -> Iterator[str]:
    yield "\n| System | Customers | Changed | Filled | Emptied | New, deleted | Calls |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for s in shares:
        if s.looked == "looked":
            numbers = (s.customers, s.changed, s.filled, s.emptied, s.made, s.calls or 0)
            yield f"| {_plainly(s.title)} | {' | '.join(map(number, numbers))} |"
        else:
            yield f"| {_plainly(s.title)} | {re.split('[:;]', LOOKED[s.looked])[0]} |||||"


def _rows(story: Story) -> Iterator[tuple[str, int]]:
    """A line a change; a new record is one line."""
    for customer in story.customers:
        for record in customer.records:
            if record.op == "create":
                new = ", ".join(f"{e.field} {_inline(e.new)}" for e in record.edits)
                yield (
                    _row(customer.name, record.title, "a new record", "", new, record.edits[0].because),
                    len(record.edits),
                )
                continue
            for e in record.edits:
                why = "; ".join(part for part in (e.because, agreeing(e)) if part)
                old, new = map(_inline, _excerpts(e.old, e.new))
                yield _row(customer.name, record.title, e.field, old, new, _with_outcome(why, e)), 1


def _with_outcome(why: str, edit: Edit) -> str:
    if not edit.outcome:
        return why
    answer = f": {edit.answer}" if edit.answer else ""
    return f"{why} · {OUTCOMES.get(edit.outcome, edit.outcome)}{answer}"


def _row(customer: str, system: str, field: str, old: str, new: str, why: str) -> str:
    return f"| {_plainly(customer)} | {_plainly(system)} | {field} | {old} | {new} | {_plainly(why)} |"


def _inline(text: str | None) -> str:
    """A value as code: a tracker makes no link, picture or mention of it."""
    if text is None:
        return "*nothing*"
    flat = " ".join(_clean(text[:MAX_CELL]).split()) + ("…" if len(text) > MAX_CELL else "")
    fence = "`" * (max((len(run) for run in re.findall(r"`+", flat)), default=0) + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") or not flat else ""
    return f"{fence}{pad}{flat.replace('|', chr(92) + '|')}{pad}{fence}"


_MEANT = re.compile(r"([\\`*_{}\[\]<>#|!~@&])")


def _plainly(text: str) -> str:
    """Words as they are, on one line: nothing in them is markup, a link or somebody called."""
    flat = " ".join(_clean(text).split())
    return _MEANT.sub(r"\\\1", flat).replace(r"\@", "@\u2060").replace(r"\#", "#\u2060")


TOLD_AGAIN = "What is still so, the next sync tells again."

# -- undo, redo, replay ----------------------------------------------------------------------------------------------


def about(story: Story) -> list[str]:
    """Of a plan that takes back or tries again: what, who asked for it, why, and what it leaves; and who approved."""
    told = []
    it: Mapping[str, object] = story.head.about or {}
    by, because = it.get("author"), it.get("reason") or it.get("because")
    asked = (f", as {by} asked" if by else "") + (f": {because}" if because else "")
    if undoes := list(it.get("undoes") or ()):  # type: ignore[call-overload]
        told.append(f"It takes back what {listed(undoes)} wrote{asked}.")
    elif letters := list(it.get("letters") or ()):  # type: ignore[call-overload]
        told.append(f"It tries again what was refused before ({count(len(letters), 'dead letter')}){asked}.")
    elif asked:
        told.append(f"It was made{asked}.")
    told += notices_of(it)
    if done := it.get("done"):
        told.append(f"{count(int(str(done)), 'field')} are back already.")
    if approval := story.head.approval:
        until = f", until {moment(str(approval['expires_at']))}" if approval.get("expires_at") else ""
        told.append(f"{approval['author']} let it pass on {moment(str(approval['at']))}{until}: {approval['reason']}.")
    return told
