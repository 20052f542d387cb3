"""Limits are kept by all processes together: nobody is refused, nothing of what is allowed is left unused, and a day's
calls that are used up end a pull and a push in good order.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa

from connectors.airtable.sandbox import AirtableStandin
from connectors.shopify.sandbox import Bucket, Shopify
from omnihub.flow import Hub, Run, pull_system
from omnihub.flow.planning import make_and_store_plan
from omnihub.model import Change, Op, Outcome, Ref
from omnihub.push import Receipt, Task, apply_stream
from omnihub.sandbox import kit
from omnihub.sandbox.kit import Call, Reply, Running, Standin, route
from omnihub.sandbox.world import World
from omnihub.sdk import Quota, open_client
from omnihub.store import Store, schema
from tests.flow import strict

PROCESSES = 4
AT_LEAST = 0.95  # of what is allowed


@dataclass
class Seen:
    """When each call was let in, and how many were not."""

    at: list[tuple[float, str, float]] = field(default_factory=list)  # when, where, for how many points
    refused: int = 0

    def let_in(self, path: str = "") -> list[float]:
        return [at for at, where, _ in self.at if path in where]


class Strict(Standin):
    """Two long lists behind limits."""

    system, role = "strict", "crm"
    credentials: ClassVar = {"token": "t"}

    def __init__(self, pages: dict[str, int], quotas: Sequence[kit.Quota]) -> None:
        super().__init__(quotas=quotas)
        self.pages, self.seen, self.url = pages, Seen(), ""

    def authorized(self, call: Call) -> bool:
        return call.headers.get("authorization") == "Bearer t"

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        self.seen.refused += status == 429
        return Reply(status, {"error": message}, {"Retry-After": f"{wait_s:.3f}"} if status == 429 else {})

    @route("GET", "/firms", "/exports")
    def list(self, call: Call) -> Reply:
        where = "/exports" if "/exports" in call.url else "/firms"
        self.seen.at.append((time.monotonic(), where, 1))
        start, size = int(call.param("offset", "0")), int(call.param("limit"))
        shown = range(self.pages[where] * strict.PAGE)[start : start + size]
        return Reply(200, {"items": [{"id": str(n), "name": f"Firm {n}"} for n in shown]})


def pulled_by_four(kind: str, store_url: str, standin: Standin, rounds: int = 1) -> list[dict[str, Any]]:
    """Four processes that begin at the same moment; what each told."""
    with Running([standin]) as running:
        settings = json.dumps({"url": running.urls[standin.system], **standin.credentials})
        command = [sys.executable, "-m", "tests.flow.strict", kind, store_url, settings, str(rounds)]
        processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(PROCESSES)
        ]
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n", process.communicate()
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        told = [process.communicate(timeout=100) for process in processes]
    assert [process.returncode for process in processes] == [0] * PROCESSES, told
    return [json.loads(out) for out, _ in told]


def tell(words: str) -> None:
    """The figure, for who runs this with -s."""
    sys.stdout.write(f" {words} ")


def used(at: Sequence[float], calls: int, per_s: float) -> float:
    """The share of the allowed rate: of whole windows, how long they would take at best to how long they took."""
    windows = (len(at) - 1) // calls
    assert windows >= 5, "too short to say"
    return windows * per_s / (at[windows * calls] - at[0])


# -- a day's calls are used up ---------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store.open(f"sqlite:///{tmp_path / 'hub.db'}")
    yield found
    found.close()


@pytest.fixture
def standin() -> Iterator[Strict]:
    found = Strict({"/firms": 4}, [])
    with Running([found]) as running:
        found.url = running.urls["strict"]
        yield found


def hub_with(store: Store, standin: Strict, calls: int) -> Hub:
    """A hub that may make so many calls a day."""
    connector = strict.declared(Quota(calls, zone="Asia/Tokyo"))
    return Hub(store, {"strict": connector}, lambda _: {"url": standin.url, **standin.credentials})


def stream_state(store: Store) -> Any:
    with store.read() as c:
        return c.execute(sa.select(schema.streams)).one()


def test_a_pull_whose_calls_are_used_up_pauses_and_says_when_it_goes_on(store: Store, standin: Strict) -> None:
    hub, run = hub_with(store, standin, calls=3), Run.start(store)
    [landed] = pull_system(hub, "strict", run.id)
    words = "strict: today's 3 calls are used up; it goes on at 00:00 (Asia/Tokyo)"
    assert (landed.waiting, landed.error, landed.ok) == (words, "", False)
    assert (landed.pages, landed.balanced) == (3, True)
    assert (stream_state(store).state, stream_state(store).error) == ("waiting", words)
    assert len(standin.seen.at) == 3


def test_a_run_that_waits_for_tomorrow_is_not_red_and_plans_nothing_it_did_not_see(
    store: Store, standin: Strict
) -> None:
    hub, run = hub_with(store, standin, calls=3), Run.start(store)
    run.note("pull:strict", [x.counts() for x in pull_system(hub, "strict", run.id)])
    assert make_and_store_plan(hub, run.id).looked == {"strict": "could not look"}
    summary = run.end()
    assert (summary["state"], summary["failed"], summary["balanced"]) == ("partial", [], True)
    assert [w.partition(": ")[0] for w in summary["waiting"]] == ["strict/firms"]


def test_the_calls_of_the_day_are_those_of_all_hubs_with_this_store(store: Store, standin: Strict) -> None:
    pull_system(hub_with(store, standin, calls=3), "strict", Run.start(store).id)
    again = Store.open(store.engine.url.render_as_string(hide_password=False))
    [landed] = pull_system(hub_with(again, standin, calls=3), "strict", Run.start(again).id)
    again.close()
    assert (landed.read, bool(landed.waiting)) == (0, True)
    assert len(standin.seen.at) == 3


def test_with_more_calls_the_stream_is_read_to_its_end(store: Store, standin: Strict) -> None:
    pull_system(hub_with(store, standin, calls=3), "strict", Run.start(store).id)
    [landed] = pull_system(hub_with(store, standin, calls=100), "strict", Run.start(store).id)
    assert landed.ok
    assert landed.same > 0 < landed.new
    assert stream_state(store).state == "ok"


def test_changes_that_no_call_is_left_for_are_deferred_in_the_same_words(store: Store, standin: Strict) -> None:
    connector = hub_with(store, standin, calls=1).connectors["strict"]
    client = open_client(connector, {"url": standin.url, **standin.credentials}, ledger=store.ledger)
    tasks = [Task(f"strict/firms/{n}", str(n), f"account_{n}", ((n, changed(n)),)) for n in range(3)]
    receipts: list[Receipt] = []
    apply_stream(client, connector.stream("firms"), tasks, lambda pages: dict.fromkeys(pages), receipts.extend)  # type: ignore[misc]
    assert [r.outcome for r in receipts] == [Outcome.DEFERRED] * 3
    assert {r.message for r in receipts} == {"strict: today's 1 calls are used up; it goes on at 00:00 (Asia/Tokyo)"}


def changed(n: int) -> Change:
    return Change(Ref("strict", "firms", str(n)), "name", "Firm", "Firm Ltd", "because", f"account_{n}", Op.UPDATE)


# -- four processes and one strict system ----------------------------------------------------------------------------


@pytest.mark.long
def test_four_processes_use_a_moving_window_up_and_are_never_refused(store_url: str) -> None:
    standin = Strict({"/firms": 60}, [kit.Quota(strict.CALLS, strict.PER_S)])
    told = pulled_by_four("window", store_url, standin)
    assert [t["failed"] for t in told] == [[]] * PROCESSES
    assert standin.seen.refused == 0
    share = used(standin.seen.let_in(), strict.CALLS, strict.PER_S)
    tell(f"{share:.1%} of {strict.CALLS} calls in {strict.PER_S:g} s")
    assert share >= AT_LEAST


@pytest.mark.long
def test_a_rule_for_some_paths_is_used_up_without_holding_up_the_others(store_url: str) -> None:
    quotas = [kit.Quota(strict.CALLS, strict.PER_S), kit.Quota(strict.EXPORTS, strict.PER_S, matches="/exports")]
    standin = Strict({"/firms": 10, "/exports": 20}, quotas)
    told = pulled_by_four("endpoint", store_url, standin)
    assert [t["failed"] for t in told] == [[]] * PROCESSES
    assert standin.seen.refused == 0
    share = used(standin.seen.let_in("/exports"), strict.EXPORTS, strict.PER_S)
    tell(f"{share:.1%} of {strict.EXPORTS} exports in {strict.PER_S:g} s")
    assert share >= AT_LEAST
    assert standin.seen.let_in("/firms")[-1] < standin.seen.let_in("/exports")[-1]


class CountedAirtable(AirtableStandin):
    """Notes when it lets a call in."""

    def __init__(self, path: Path | None = None, **options: Any) -> None:
        super().__init__(path, **options)
        self.seen = Seen()

    def _answer(self, handler: Any, open_: bool, call: Call, path: str) -> Reply:
        reply = super()._answer(handler, open_, call, path)
        if reply.status == 429:
            self.seen.refused += 1
        else:
            self.seen.at.append((time.monotonic(), path, 1))
        return reply


@pytest.mark.long
def test_where_one_refusal_locks_everybody_out_there_is_none(store_url: str) -> None:
    standin = CountedAirtable()
    assert standin.quotas[0].penalty_s == 30
    standin.seed(World(20, 7, datetime(2026, 11, 1, tzinfo=UTC)).copies(standin.role))
    told = pulled_by_four("airtable", store_url, standin, rounds=2)
    assert [t["failed"] for t in told] == [[]] * PROCESSES
    assert standin.seen.refused == 0
    share = used(standin.seen.let_in(), standin.quotas[0].calls, standin.quotas[0].per_s)
    tell(f"{share:.1%} of 5 calls a second")
    assert share >= AT_LEAST


class CountedShopify(Shopify):
    """Notes what it is paid."""

    def __init__(self, path: Path | None = None, **options: Any) -> None:
        super().__init__(path, **options)
        self.seen = Seen()
        self.left: list[float] = []

    def _cost(self, requested: int, actual: int | None) -> dict[str, Any]:
        told = super()._cost(requested, actual)
        if actual is None:
            self.seen.refused += 1
        else:
            self.seen.at.append((time.monotonic(), "", actual))
            self.left.append(told["throttleStatus"]["currentlyAvailable"])
        return told


@pytest.mark.long
def test_a_bucket_of_points_is_used_up_and_never_overdrawn(store_url: str) -> None:
    holds, restores = 3000, 150.0  # more than the connector believes before it is told
    standin = CountedShopify(quotas=(Bucket(holds, holds / restores),))
    standin.seed(World(100, 7, datetime(2026, 11, 1, tzinfo=UTC)).copies(standin.role))
    told = pulled_by_four("shopify", store_url, standin, rounds=8)
    assert [t["failed"] for t in told] == [[]] * PROCESSES
    assert standin.seen.refused == 0
    first, last = standin.seen.at[0][0], standin.seen.at[-1][0]
    paid = sum(points for _, _, points in standin.seen.at)
    came = restores * (last - first) + holds - standin.left[-1]
    tell(f"{paid / came:.1%} of {came:,.0f} points in {last - first:.1f} s, {standin.left[-1]:,} left")
    assert paid / came >= AT_LEAST
