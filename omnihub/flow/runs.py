"""A run: what each step did, kept as it goes, and whether its numbers balance."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from omnihub.store import Store, schema
from omnihub.store.open import now_iso


@dataclass(frozen=True)
class Run:
    """One run of the loop, or of a part of it."""

    store: Store
    id: str

    @classmethod
    def start(cls, store: Store, id_: str | None = None) -> Run:
        """Begin a run, or go on with the one of that id."""
        run = cls(store, id_ or f"run-{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}")
        with store.write() as c:
            if c.execute(sa.select(schema.runs.c.id).where(schema.runs.c.id == run.id)).first() is None:
                c.execute(sa.insert(schema.runs).values(id=run.id, started_at=now_iso(), state="running"))
        return run

    def note(self, step: str, counts: Any) -> None:
        """Keep what a step did."""
        with self.store.write() as c:
            told = json.loads(
                c.execute(sa.select(schema.runs.c.counts).where(schema.runs.c.id == self.id)).scalar_one()
            )
            told[step] = counts
            c.execute(
                sa.update(schema.runs)
                .where(schema.runs.c.id == self.id)
                .values(counts=json.dumps(told, ensure_ascii=False))
            )

    def told(self) -> dict[str, Any]:
        """What the steps did so far."""
        with self.store.read() as c:
            return dict(
                json.loads(c.execute(sa.select(schema.runs.c.counts).where(schema.runs.c.id == self.id)).scalar_one())
            )

    def end(self) -> dict[str, Any]:
        """Add up, and say how the run went: ok, partial (a stream could not be read, or not yet to its end; changes are
        deferred, or notices wait to be taken back), red (it does not balance, a guard stopped the plan, or a step broke
        off)."""
        told = self.told()
        summary = balance(told)
        with self.store.write() as c:
            c.execute(
                sa.update(schema.runs)
                .where(schema.runs.c.id == self.id)
                .values(ended_at=now_iso(), state=summary["state"])
            )
        return summary


def balance(told: dict[str, Any]) -> dict[str, Any]:
    """The three equations of a run.

    read = new + changed + same + rejected + forgotten, planned = written + refused + deferred + drifted, and, of what
    people are shown in their systems, wanted = put + same + refused + deferred + left (beyond the limit).

    `told`: step → counts as the steps gave them (`pull:<system>` a list of streams, `push` the outcomes,
    `stopped` step → why, for steps that broke off, `deliver` system → counts).
    """
    streams = [s for step, counts in told.items() if step.startswith("pull:") for s in counts]
    pulled = {k: sum(s[k] for s in streams) for k in ("read", "new", "changed", "same", "rejected", "gone")}
    pulled["forgotten"] = sum(s.get("forgotten", 0) for s in streams)
    pushed = {
        k: told.get("push", {}).get(k, 0) for k in ("planned", "written", "refused", "deferred", "drifted", "left")
    }
    failed = [f"{s['system']}/{s['stream']}: {s['error']}" for s in streams if s["error"]]
    waiting = [f"{s['system']}/{s['stream']}: {s['waiting']}" for s in streams if s.get("waiting")]
    pull_ok = pulled["read"] == sum(pulled[k] for k in ("new", "changed", "same", "rejected", "forgotten"))
    push_ok = pushed["planned"] == pushed["written"] + pushed["refused"] + pushed["deferred"] + pushed["drifted"]
    blocked = told.get("plan", {}).get("state") == "blocked"
    delivered = {
        k: sum(one[k] for one in told.get("deliver", {}).values())
        for k in ("wanted", "put", "same", "refused", "deferred", "left", "cleared", "closed")
    }
    deliver_ok = delivered["wanted"] == sum(delivered[k] for k in ("put", "same", "refused", "deferred", "left"))
    stopped = dict(told.get("stopped", {}))
    state = (
        "red"
        if blocked or stopped or not (pull_ok and push_ok and deliver_ok)
        else "partial"
        if failed or waiting or pushed["deferred"] or told.get("push", {}).get("notices_waiting")
        else "ok"
    )
    return {
        "state": state,
        "pull": pulled,
        "push": pushed,
        "deliver": delivered,
        "balanced": pull_ok and push_ok and deliver_ok,
        "blocked": blocked,
        "failed": failed,
        "waiting": waiting,
        "stopped": stopped,
        "undelivered": dict(told.get("undelivered", {})),
    }
