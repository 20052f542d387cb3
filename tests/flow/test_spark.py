"""`engine: spark`: a full re-match on Spark leaves the store as one without it does."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from omnihub.config import load
from omnihub.flow import Hub, match_entity
from omnihub.flow.hub import open_hub
from omnihub.model import Entity
from omnihub.store import Store
from tests.flow.test_matching import EMAILS, FIRST, LAST, PHONES, _believed, _happen

CHANCE = random.Random(3)
PEOPLE = [
    (
        "says",
        f"crm/c/{n}",
        {
            "first_name": CHANCE.choice(FIRST),
            "last_name": CHANCE.choice(LAST),
            "email": CHANCE.choice(EMAILS),
            "phone": CHANCE.choice(PHONES),
        },
    )
    for n in range(60)
]


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.skipif(
    not (shutil.which("java") or os.environ.get("JAVA_HOME")), reason="Spark needs a Java virtual machine"
)
def test_a_full_match_on_spark_believes_what_one_without_it_believes(tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="omnihub[spark] is not installed")
    believed = []
    for name, folder in (("here", None), ("there", tmp_path / "spark")):
        store = Store.open(f"sqlite:///{tmp_path}/{name}.db")
        _happen(store, PEOPLE)
        match_entity(Hub(store=store, connectors={}, settings=lambda _: {}, spark=folder), Entity.CONTACT)
        believed.append(_believed(store))
        store.close()
    assert believed[0] == believed[1]
    assert len(believed[0]["pairs"]) > 10
    assert list((tmp_path / "spark").iterdir()) == []  # nothing is left behind


def test_the_settings_say_where_pairs_are_weighed(tmp_path: Path) -> None:
    file = tmp_path / "omnihub.yaml"
    file.write_text("engine: spark\nsystems: {}\n")
    hub = open_hub(load(file), {})
    try:
        assert hub.spark == tmp_path / ".omnihub" / "spark"
    finally:
        hub.store.close()
