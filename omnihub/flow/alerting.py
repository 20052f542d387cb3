"""Alert: who wants to know is told once when something changes for the worse, and once more when it is well again.

what a run did ─▶ the state of each thing that is watched ─▶ kept ─▶ channels that were last told another state
                  run, plan, each system, each kind of finding       one message each, with all that is new to them

Nothing is said of single records, and nothing again while a state lasts: a run that is repeated says nothing. A channel
that can't be reached stops nothing; it is tried again with the next run, and told what is true by then. No values of
records and no words of other systems go along: only names, numbers, and the command that shows more.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from omnihub.config import alert_variable
from omnihub.flow.checking import Verdict
from omnihub.flow.guarding import from_facts
from omnihub.flow.hub import Hub
from omnihub.flow.runs import Run, balance
from omnihub.model import FINDING_KINDS, STANDING
from omnihub.store import Store, bulk, schema
from omnihub.store.open import now_iso

log = logging.getLogger("omnihub.alerts")

OK = "ok"
SECTIONS = {"run": "runs", "plan": "plans", "system": "systems", "findings": "findings"}
"""What a thing's key begins with → what the settings call it."""

MINUTE = len("2026-11-22T03:22")
TITLE = "OmniHub"

_A, _T = schema.alerts, schema.alerts_told


@dataclass(frozen=True)
class State:
    """The state a thing is in: `ok`, or what is wrong in a word. says: in a sentence, for a person."""

    key: str
    state: str
    says: str
    since: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether there is nothing to see to."""
        return self.state == OK


@dataclass(frozen=True)
class Message:
    """What one channel is told at once. worse: something is wrong; else all of it is well again."""

    title: str
    text: str
    worse: bool


def alert(hub: Hub, run: Run, broke_off: bool = False) -> dict[str, Any]:
    """Keep the states a run leaves behind, and tell who is to be told. broke_off: its process did not come to its end.

    Returns changed (things in another state than before), told and failed (channels), and notes these in the run.
    """
    changed = _keep(hub.store, run.id, states(hub, run.told(), broke_off, _plan(hub, run)))
    told, failed = _tell_all(hub)
    counts = {"changed": changed, "told": told, "failed": failed}
    if changed or told or failed:
        run.note("alert", counts)
    return counts


# -- what state things are in ----------------------------------------------------------------------------------------


def states(hub: Hub, told: Mapping[str, Any], broke_off: bool, plan: State | None) -> list[State]:
    """Of all that this run had to do with; the others stay in the state they are in. told: its notes. plan: its."""
    found = [_of_run(dict(told), broke_off), *([plan] if plan else [])]
    found += [_of_system(hub, name, told) for name in hub.connectors if _asked(name, told)]
    if "compare" in told:
        standing = standing_by_kind(hub.store)
        found += [_of_findings(hub, kind, standing.get(kind, 0)) for kind in FINDING_KINDS]
    return found


def _of_run(told: dict[str, Any], broke_off: bool) -> State:
    summary = balance(told)
    state = "red" if broke_off else summary["state"]
    if state == OK:
        return State("run", OK, "Runs are fine again.")
    why = [f"broke off: {', '.join(sorted(summary['stopped']))}"] if summary["stopped"] else []
    why += ["its process did not come to its end"] if broke_off and not why else []
    why += ["a plan waits for approval"] if summary["blocked"] else []
    why += [] if summary["balanced"] else ["its numbers do not add up"]
    why += [f"{len(summary['failed'])} streams could not be read"] if summary["failed"] else []
    why += [f"{len(summary['waiting'])} streams go on later"] if summary["waiting"] else []
    why += [f"{n} changes were put off"] if (n := summary["push"]["deferred"]) else []
    return State("run", state, f"The last run is {state}: {'; '.join(why)}. `omnihub status` shows it.")


def _plan(hub: Hub, run: Run) -> State | None:
    """Of the plan this run has made and kept."""
    told = run.told().get("plan", {})
    if not told or not told.get("kept", True):
        return None
    if told["state"] != "blocked":
        return State("plan", OK, "No plan is stopped any more.")
    p = schema.plans
    with hub.store.read() as c:
        limits = c.execute(sa.select(p.c.limits).where(p.c.id == told["id"])).scalar()
    # Without the examples: a ref may hold what a system knows a person by.
    words = "; ".join(replace(one, examples=()).words() for one in from_facts(limits))
    way_out = f"`omnihub plan show {told['id']}`, then `omnihub approve {told['id']} --because …`"
    return State("plan", "blocked", f"A plan is stopped, and nothing is written: {words}. Look at it with {way_out}.")


def _asked(system: str, told: Mapping[str, Any]) -> bool:
    return bool(told.get(f"pull:{system}")) or f"pull_{system}" in told.get("stopped", {})


def _of_system(hub: Hub, name: str, told: Mapping[str, Any]) -> State:
    title = hub.connectors[name].title
    failed = sorted(one["stream"] for one in told.get(f"pull:{name}", ()) if one["error"])
    if not failed and f"pull_{name}" not in told.get("stopped", {}):
        return State(f"system:{name}", OK, f"{title} can be read again.")
    which = f" ({', '.join(failed)})" if failed else ""
    return State(f"system:{name}", "down", f"{title} could not be read{which}. `omnihub status` says why.")


def _of_findings(hub: Hub, kind: str, standing: int) -> State:
    verdict = within_limit(hub, kind, standing)
    return State(f"findings:{kind}", OK if verdict.passed else "above", verdict.says)


def within_limit(hub: Hub, kind: str, standing: int) -> Verdict:
    """Whether as many findings of a kind stand as may. severe: money or permission is at stake."""
    limit, known = hub.alerts.limit(kind), FINDING_KINDS[kind]
    facts = {"standing": standing, "limit": limit, "severity": known.severity.value}
    if standing <= limit:
        return Verdict(True, f"{kind}: {standing} to see to, and {limit} may be.", facts=facts)
    says = f"{kind}: {standing} to see to, and only {limit} may be. {known.means} `omnihub findings --kind {kind}`"
    return Verdict(False, says, severe=known.severity.value == "high", facts=facts)


def standing_by_kind(store: Store) -> dict[str, int]:
    """Kind → how many findings somebody is to see to."""
    f = schema.findings
    query = sa.select(f.c.kind, sa.func.count().label("n")).where(f.c.state.in_(STANDING)).group_by(f.c.kind)
    with store.read() as c:
        return {row.kind: row.n for row in c.execute(query)}


def _keep(store: Store, run_id: str, found: Sequence[State]) -> int:
    """Keep them. Returns how many are in another state than before; what was never seen was well."""
    with store.write() as c:
        before = {row.key: row for row in c.execute(sa.select(_A))}
        rows, changed = [], 0
        for one in found:
            was = before.get(one.key)
            same = one.state == (was.state if was else OK)
            changed += not same
            if not same or (was and was.says != one.says):
                since, by = (was.since, was.run_id) if was and same else (now_iso(), run_id)
                rows.append((one.key, one.state, one.says, since, by))
        bulk.upsert(c, _A, ("key", "state", "says", "since", "run_id"), rows)
    return changed


# -- telling ---------------------------------------------------------------------------------------------------------


def _tell_all(hub: Hub) -> tuple[list[str], list[str]]:
    """(channels that were told something, channels that could not be)."""
    told: list[str] = []
    failed: list[str] = []
    for name, channel in sorted(hub.alerts.channels.items()):
        news = _news(hub.store, name, channel.tells)
        if news:
            (told if _tell(hub, name, news) else failed).append(name)
    return told, failed


def _news(store: Store, channel: str, tells: Iterable[str]) -> list[State]:
    """What is in another state than this channel was last told; of what it never heard, all that is not well."""
    heard = sa.and_(_T.c.key == _A.c.key, _T.c.channel == channel)
    query = sa.select(_A, _T.c.state.label("heard")).outerjoin(_T, heard).order_by(_A.c.key)
    wanted = set(tells)
    with store.read() as c:
        return [
            State(row.key, row.state, row.says, row.since)
            for row in c.execute(query)
            if row.state != (row.heard or OK) and SECTIONS.get(row.key.partition(":")[0]) in wanted
        ]


def _tell(hub: Hub, channel: str, news: Sequence[State]) -> bool:
    address = hub.channels.get(channel, "")
    if not address:
        log.warning("alerts: nobody is told by %s; set %s to its address", channel, alert_variable(channel))
        return False
    if not send(address, message(news, hub.alerts.link)):
        log.warning(
            "alerts: %s could not be told of %d changes; the next run tries again. Is %s right?",
            channel, len(news), alert_variable(channel),
        )  # fmt: skip
        return False
    at = now_iso()
    with hub.store.write() as c:
        rows = [(channel, one.key, one.state, at) for one in news]
        bulk.upsert(c, _T, ("channel", "key", "state", "at"), rows)
    return True


def message(news: Sequence[State], link: str = "") -> Message:
    """All that is new, what is wrong first."""
    wrong, well = [one for one in news if not one.is_ok], [one for one in news if one.is_ok]
    lines = [f"- {one.says}" for one in wrong]
    lines += [f"- Well again since {one.since[:MINUTE].replace('T', ' ')} UTC: {one.says}" for one in well]
    parts = [f"{len(wrong)} to see to"] if wrong else []
    parts += [f"{len(well)} well again"] if well else []
    return Message(f"{TITLE}: {', '.join(parts)}", "\n".join([*lines, *([link] if link else [])]), bool(wrong))


def understood(address: str) -> bool:
    """Whether apprise can make something of an address; nothing is sent."""
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it repeats addresses
    try:
        return apprise.Apprise.instantiate(address) is not None
    except Exception as error:  # noqa: BLE001  whatever a service throws at an address, it is no good one
        log.warning("alerts: %s", type(error).__name__)
        return False


def send(address: str, said: Message) -> bool:
    """By way of apprise: mail, chat, web hook, as the address says. Whatever goes wrong there is a False."""
    import apprise  # not with every command: it brings a hundred services along

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it repeats addresses
    kind = apprise.NotifyType.WARNING if said.worse else apprise.NotifyType.SUCCESS
    try:
        out = apprise.Apprise()
        return out.add(address) and bool(out.notify(said.text, title=said.title, notify_type=kind))
    except Exception as error:  # noqa: BLE001  an alert that fails must not stop a run, whatever a service throws
        log.warning("alerts: %s", type(error).__name__)  # its words may repeat the address, and so a secret
        return False
