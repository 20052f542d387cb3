"""Findings: what stands, in groups; and what somebody decides about it: ignore, assign, reopen."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from omnihub.cli.installation import here
from omnihub.cli.judging import ends
from omnihub.cli.screen import GOOD, heading, number, put, table, tell
from omnihub.flow import findings
from omnihub.flow.awaiting import Turn
from omnihub.flow.findings import CHANGED, Decided
from omnihub.flow.grouping import Grouping, Only, groups
from omnihub.model import FINDING_KINDS, STANDING, FindingState
from omnihub.report.grouping import Group, sentence
from omnihub.report.wording import in_words

WIDE = 130  # columns of a terminal from which on each fact has a column of its own
SHOWN = 50  # groups, or findings of one, at most; JSON has all
COLOURS = {"high": "red", "medium": "yellow", "low": "dim"}

Row = dict[str, Any]


# -- look ------------------------------------------------------------------------------------------------------------


def show_all(system: str, kind: str, owner: str, state: str, to_fix: bool, as_json: bool) -> None:
    """What stands, or what is in one state, in groups: what matters most first. to_fix: without what the hub goes on
    with by itself."""
    _known(kind, FINDING_KINDS, "kind")
    _known(state, [s.value for s in FindingState], "state")
    installation = here()
    with installation.store() as store, store.read() as c:
        only = Only(system, kind, owner, (state,) if state else STANDING, for_people=to_fix)
        grouping = Grouping(c, Turn.now(c, installation.connectors))
        total, found = groups(c, only, None if as_json else SHOWN, grouping)
    names = {name: connector.title for name, connector in installation.connectors.items()}
    facts = [_plain(one, names) for one in found]
    tell({"groups": facts, "count": total}, as_json, lambda console: _draw_all(console, facts, total, state))


def _known(word: str, known: Any, what: str) -> None:
    if word and word not in known:
        raise typer.BadParameter(f"there is no {what} {word}; there are: {', '.join(known)}")


def _plain(one: Group, names: Mapping[str, str]) -> Row:
    """As JSON holds it: with the sentence, and money as people write it."""
    says = sentence(one, names.get(one.system, one.system))
    money = [{"currency": currency, "amount": f"{Decimal(cents) / 100:.2f}"} for currency, cents in one.at_stake]
    return asdict(one) | {"says": says, "at_stake": money}


def _draw_all(console: Console, groups: Sequence[Row], total: int, state: str) -> None:
    if not groups:
        put(console, f"{GOOD} nothing {state or 'stands'}")
        return
    put(console, (_wide if console.width >= WIDE else _narrow)(groups))
    if total > len(groups):
        put(console, f"[dim]… and {number(total - len(groups))} more: --system, --kind, --owner, or --json for all[/]")
    put(console, "[dim]each of one:[/]   [bold]omnihub findings show NAME[/]")
    put(console, "[dim]decide on it:[/]  [bold]omnihub findings ignore NAME --because …[/] [dim]or[/] assign NAME TO")


def _wide(groups: Sequence[Row]) -> Table:
    drawn = table("", "what", "at stake", "owner", "since", "name", right=("at stake",), fold=("what", "name"))
    for one in groups:
        drawn.add_row(
            _severity(one), escape(one["says"]), _money(one["at_stake"]), _owner(one), one["since"][:10], _name(one)
        )
    return drawn


def _narrow(groups: Sequence[Row]) -> Table:
    """Who sees to it, since when, and its name below what is said of it: words keep together."""
    drawn = table("", "what", "at stake", right=("at stake",), fold=("what",))
    for one in groups:
        below = f"{_owner(one)} · {one['since'][:10]} · {_name(one)}"
        drawn.add_row(_severity(one), f"{escape(one['says'])}\n[dim]{below}[/]", _money(one["at_stake"]))
    return drawn


def _severity(one: Row) -> str:
    return f"[{COLOURS[one['severity']]}]{one['severity']}[/]"


def _owner(one: Row) -> str:
    return escape(one["owner"]) + (" [dim](assigned)[/]" if one["state"] == FindingState.ASSIGNED else "")


def _name(one: Row) -> str:
    """So much of it as decides: an id of twenty letters need not be written whole."""
    return escape(one["what"] if "/" in one["what"] else one["what"][:10])


def _money(told: Sequence[Mapping[str, str]]) -> str:
    return "\n".join(f"{Decimal(one['amount']):,.2f} {one['currency']}".strip() for one in told)


def show(what: str, as_json: bool) -> None:
    """Each finding of a group or a record, or one whole."""
    with here().store() as store, store.read() as c:
        total, rows = findings.of(c, what, None if as_json else SHOWN)
    tell({"findings": rows, "count": total}, as_json, lambda console: _draw(console, rows, total))


def _draw(console: Console, rows: Sequence[Row], total: int) -> None:
    heading(console, "Findings", number(total))
    drawn = table("id", "", "kind", "record", "field", "says", "should say", "state", fold=("record", "says", "state"))
    for one in rows:
        drawn.add_row(
            one["id"][:10],
            f"[{COLOURS[one['severity']]}]{one['severity']}[/]",
            in_words(one["kind"]),
            escape(one["ref"]),
            in_words(one["field"]),
            escape((one["theirs"] or "")[:80]),
            escape((one["expected"] or "")[:80]),
            escape(_state(one)),
        )
    put(console, drawn)
    if total > len(rows):
        put(console, f"[dim]… and {number(total - len(rows))} more: --json for all[/]")


def _state(one: Mapping[str, Any]) -> str:
    """Its state, with who decided so and why."""
    parts = [one["state"]]
    if one["state"] == FindingState.IGNORED:
        parts.append("until it changes" if one["until"] == CHANGED else f"until {one['until']}")
    if one["assigned_to"]:
        parts.append(f"to {one['assigned_to']}")
    if one["decided_by"]:
        parts.append(f"by {one['decided_by']}")
    if one["because"]:
        parts.append(f"because {one['because']}")
    return " ".join(parts) + (f" · {one['note']}" if one["note"] else "")


# -- decide ----------------------------------------------------------------------------------------------------------


def ignore(what: str, because: str, until: str, by: str, as_json: bool) -> None:
    """Show it to nobody for a while."""
    moment = CHANGED if until == CHANGED else ends(until) or CHANGED
    with here().store() as store:
        decided = findings.ignore(store, what, by or _me(), because, moment)
    lasts = "its evidence changes" if moment == CHANGED else moment
    tell(asdict(decided), as_json, lambda console: _draw_decided(console, decided, f"ignored until {lasts}"))


def assign(what: str, to: str, because: str, by: str, as_json: bool) -> None:
    """Give it to somebody."""
    with here().store() as store:
        decided = findings.assign(store, what, to, by or _me(), because)
    tell(asdict(decided), as_json, lambda console: _draw_decided(console, decided, f"assigned to {decided.to}"))


def reopen(what: str, because: str, by: str, as_json: bool) -> None:
    """Take the decision back."""
    with here().store() as store:
        decided = findings.reopen(store, what, by or _me(), because)
    tell(asdict(decided), as_json, lambda console: _draw_decided(console, decided, "open again"))


def _draw_decided(console: Console, decided: Decided, became: str) -> None:
    if not decided.count:
        console.print("That was said before; nothing is new.")
        return
    noun = "finding" if decided.count == 1 else "findings"
    console.print(f"{number(decided.count)} {noun} of {escape(decided.what)}: {escape(became)}")


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without names
        return "unknown"
