"""Training as a person does it: a model learnt from the hub's own records, put in force, and put out of it again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from omnihub.flow import Hub, match_entity
from omnihub.model import Entity
from omnihub.store import Store, bulk, schema
from omnihub.store.open import take
from tests.cli.conftest import omnihub

FIRST = "Nord Süd Ost West Berg Tal Wald Feld Stein Bach".split()
SECOND = "licht werk bau druck glas holz stahl tech".split()
COLUMNS = ("ref", "entity", "system", "stream", "seq", "raw_seq", "pointer", "deleted", "fields", "times", "echoes",
           "problems")  # fmt: skip


def firms() -> Iterator[tuple[str, dict[str, str]]]:
    """Eighty firms, two at a telephone, each known to two systems, the second of which often says it otherwise."""
    for n, (first, second) in enumerate((a, b) for a in FIRST for b in SECOND):
        name = f"{first}{second}"
        known = {"name": f"{name} GmbH", "phone": f"+49301{n // 2:06}", "city": "Ulm", "country": "DE"}
        yield f"crm/firms/{n}", known | {"domain": f"{name.lower()}.de"}
        yield (
            f"shop/firms/{n}",
            known | {"name": name if n % 3 else f"{name}e KG"} | ({"domain": f"{name.lower()}.de"} if n % 2 else {}),
        )


def write(store: Store, rows: list[tuple[str, dict[str, str]]]) -> None:
    with store.write() as c:
        first = take(c, len(rows))
        bulk.upsert(
            c,
            schema.refined,
            COLUMNS,
            [
                (ref, "account", *ref.split("/")[:2], first + n, 1, "", False, json.dumps(known), "{}", "{}", "{}")
                for n, (ref, known) in enumerate(rows)
            ],
        )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Any]]:
    """A hub that was trained on its accounts, and what was said of it."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("OMNIHUB_STORE", f"sqlite:///{folder / 'hub.db'}")
        with closing(Store.open(f"sqlite:///{folder / 'hub.db'}")) as store:
            write(store, list(firms()))
            match(store)
        yield folder, omnihub("match", "train", "--entity", "account", "--json").facts


@pytest.fixture
def facts(trained: tuple[Path, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What was said when it was trained, and we are in its folder."""
    folder, said = trained
    monkeypatch.chdir(folder)
    monkeypatch.setenv("OMNIHUB_STORE", f"sqlite:///{folder / 'hub.db'}")
    return said


def match(store: Store) -> dict[str, str]:
    match_entity(Hub(store, {}, lambda _: {}), Entity.ACCOUNT)
    with store.read() as c:
        return dict(c.execute(sa.select(schema.crosswalk.c.ref, schema.crosswalk.c.golden_id)).all())


def test_what_was_learnt_is_told_in_bits_and_counts_the_more_the_more_records_there_are(facts: Any) -> None:
    assert (facts["records"], facts["version"]) == (160, 1)
    assert facts["trained_on"].startswith("160-")
    assert facts["limits"]["same"] > facts["limits"]["unsure"] > 0
    assert facts["learnt"], "something"
    for one in facts["learnt"]:
        assert one["before"] > 4, "only what tells one firm from all others is measured"
        assert 0 < abs(one["after"] - one["before"]) < 2, "160 records are few: what the hub came with counts more"


def test_the_next_run_weighs_with_it_and_no_firm_falls_apart(facts: Any) -> None:
    with closing(Store.open(f"sqlite:///{Path.cwd() / 'hub.db'}")) as store:
        ids = match(store)
    assert len(ids) == 160
    assert len(set(ids.values())) < 100
    assert not any(ids[f"crm/firms/{n}"] == ids[f"crm/firms/{n + 1}"] for n in range(79))


def test_models_are_listed_and_any_of_them_can_be_put_in_force_again(facts: Any) -> None:
    def active() -> list[int]:
        return [one["version"] for one in omnihub("match", "models", "--json").facts["models"] if one["active"]]

    assert active() == [1]
    assert omnihub("match", "use", "default", "--entity", "account", "--json").facts["version"] is None
    assert active() == []
    assert "accounts, contacts, products: in force is what comes with the hub" in omnihub("match", "models").out
    assert omnihub("match", "use", "1", "--entity", "account", "--json").facts["version"] == 1
    assert active() == [1]


@pytest.mark.parametrize("number", ["7", "0", "-1", "last"])
def test_a_model_that_is_not_there_is_refused_and_those_that_are_are_named(facts: Any, number: str) -> None:
    said = omnihub("match", "use", "--entity", "account", "--", number)
    assert said.code != 0
    assert "default" in said.err
    if number == "7":
        assert "there is no model 7 of accounts; there are 1, default" in " ".join(said.err.split())


@pytest.mark.long
def test_a_dry_run_says_the_same_and_keeps_nothing(facts: Any) -> None:
    said = omnihub("match", "train", "--entity", "account", "--dry-run", "--json").facts
    assert said == facts | {"version": None}, "trained again on the same records, nothing is learnt twice"
    assert [one["version"] for one in omnihub("match", "models", "--json").facts["models"]] == [1]


@pytest.mark.parametrize("records", [0, 49])
def test_too_few_records_teach_nothing_and_leave_all_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch, records: int
) -> None:
    monkeypatch.setenv("OMNIHUB_STORE", f"sqlite:///{folder / 'hub.db'}")
    with closing(Store.open(f"sqlite:///{folder / 'hub.db'}")) as store:
        write(store, list(firms())[:records])
        match(store)
    said = omnihub("match", "train", "--entity", "account")
    assert said.code != 0
    assert f"{records} account records tell too little to train on" in " ".join(said.err.split())
    assert omnihub("match", "models", "--json").facts["models"] == []


def test_what_was_learnt_of_levels_the_hub_no_longer_has_is_passed_over(facts: Any) -> None:
    """A model trained by an earlier version names columns that are gone."""
    with closing(Store.open(f"sqlite:///{Path.cwd() / 'hub.db'}")) as store:
        before = match(store)
        m = schema.models
        with store.write() as c:
            told = json.loads(c.execute(sa.select(m.c.model).where(m.c.active)).scalar_one())
            told["comparisons"]["name"][0]["when"] = "gone_l = gone_r"
            told["comparisons"]["gone"] = told["comparisons"]["phone"]
            c.execute(sa.update(m).where(m.c.active).values(model=json.dumps(told)))
        assert match(store) == before
