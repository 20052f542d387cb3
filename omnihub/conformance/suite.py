"""Try every rule on a connector."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from omnihub.conformance import reading, trouble, writing
from omnihub.conformance.rules import RULES, Broken, NotForThis, Rule, Verdict
from omnihub.conformance.trial import Workshop, workshop
from omnihub.sandbox.kit import Standin
from omnihub.sdk import Connector

__all__ = ["check", "reading", "trouble", "try_all", "writing"]  # the modules of rules put them into RULES


def check(
    connector: Connector,
    standin: type[Standin],
    rules: Iterable[str] = (),
    told: Callable[[Verdict], None] = lambda verdict: None,
) -> list[Verdict]:
    """How the connector stands to each rule (or those named). `told` is called after each."""
    with (
        tempfile.TemporaryDirectory(prefix="omnihub-") as folder,
        workshop(connector, standin, Path(folder)) as shop,
    ):
        return list(try_all(shop, connector, rules, told))


def try_all(
    shop: Workshop,
    connector: Connector,
    rules: Iterable[str] = (),
    told: Callable[[Verdict], None] = lambda verdict: None,
) -> Iterator[Verdict]:
    """The verdicts one by one, in a workshop that is open already."""
    wanted = set(rules) or set(RULES)
    for name, rule in RULES.items():
        if name in wanted:
            verdict = _try(shop, connector, rule)
            told(verdict)
            yield verdict


def _try(shop: Workshop, connector: Connector, rule: Rule) -> Verdict:
    started = time.monotonic()
    shop.baseline(connector)  # before the trial: it needs the stand-in for itself
    trial = shop.trial(connector, pages=rule.about != "writing")
    try:
        rule.try_(trial)
        state, why = "kept", ""
    except NotForThis as reason:
        state, why = "not for this", str(reason)
    except Broken as reason:
        state, why = "broken", str(reason)
    except Exception as mistake:  # noqa: BLE001  whatever a connector does wrong is a finding, not the end of the trial
        state, why = "broken", f"stopped by {type(mistake).__name__}: {mistake}"[:300]
    finally:
        trial.close()
    return Verdict(rule.name, state, why, time.monotonic() - started)
