"""A model trained on a few hundred customers knows them at least about as well as what comes with the hub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from omnihub.flow import match_entity
from omnihub.flow.modelling import use
from omnihub.flow.training import train_entity
from omnihub.model import Entity
from tests.flow.conftest import Known, looked_at

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

CUSTOMERS, SEED = 300, 104
F1, WORSE = 0.97, 0.01


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    with looked_at(tmp_path_factory.mktemp("trained"), CUSTOMERS, SEED) as found:
        yield found


@pytest.mark.parametrize(("entity", "of"), [(Entity.ACCOUNT, "accounts"), (Entity.CONTACT, "contacts")])
def test_a_trained_model_recognises_the_customers_and_joins_nobody_the_hub_s_own_did_not(
    known: Known, entity: Entity, of: str
) -> None:
    before = _score(known, of)
    trained = train_entity(known.here.hub(), entity)
    assert trained.learnt
    match_entity(known.here.hub(), entity)
    after = _score(known, of)
    assert after["f1"] >= max(F1, before["f1"] - WORSE)
    assert after["merge_precision"] >= before["merge_precision"] - WORSE / 10
    with known.here.store.write() as c:
        use(c, entity, None)
    match_entity(known.here.hub(), entity)
    assert _score(known, of) == before, "and back again"


def _score(known: Known, of: str) -> dict[str, Any]:
    found: dict[str, Any] = known.score()[of]
    return found
