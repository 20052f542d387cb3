"""What a changed shape leads to: it is kept, and the stream is read whole, so that nothing stays half read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from omnihub.conformance.mutants import ACME
from omnihub.conformance.trial import Trial, workshop
from omnihub.conformance.wire import Carry, rows
from omnihub.sandbox.derived import derive
from omnihub.sandbox.kit import Call, Reply


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    with workshop(ACME, derive(ACME), tmp_path) as shop:
        found = shop.trial(ACME)
        yield found
        found.close()


def test_what_was_read_while_a_field_was_renamed_is_read_again_once_it_is_back(trial: Trial) -> None:
    def renamed(call: Call, carry: Carry) -> Reply:
        reply = carry()
        for page in rows(reply):
            for row in page:
                row["firm"] = row.pop("company", None)
        return reply

    trial.pull_well("dealers")
    trial.refined("dealers")
    touched = sorted(trial.there("dealers"))[:8]
    for n, id_ in enumerate(touched):
        trial.edit("dealers", id_, 500 + n, but=["name"])
    with trial.wire.bent(renamed):
        [some] = trial.pull_well("dealers")
        assert (some.changed, some.complete) == (9, False)  # those eight, and the one the cursor stands on
        assert not any("name" in trial.refined("dealers")[id_].fields for id_ in touched)
        assert set(trial.drift("dealers").missing) == {"company"}
    [whole] = trial.pull_well("dealers")
    assert whole.complete
    assert all("name" in r.fields for r in trial.refined("dealers").values())
    assert not trial.drift("dealers").missing
