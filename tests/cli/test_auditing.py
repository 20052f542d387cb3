"""The chain as a person asks for it: whole or broken, with an exit code, and what is in it."""

from __future__ import annotations

import sqlalchemy as sa

from omnihub.store import Store, schema
from tests.cli import test_judging as judging
from tests.cli.conftest import omnihub
from tests.flow.test_deciding import A, B

made, hub, store = judging.made, judging.hub, judging.store  # fixtures


def judged() -> None:
    for verdict in ("same", "different", "unsure"):
        assert omnihub("judge", A, B, verdict, "--because", "asked her", "--by", "eva").code == 0


def test_a_whole_chain_is_told_with_its_head(store: Store) -> None:
    judged()
    said = omnihub("audit", "verify", "--json")
    assert (said.code, said.facts["whole"], said.facts["rows"]) == (0, True, 3)
    assert omnihub("audit", "verify", "--head", said.facts["head"]).code == 0
    assert said.facts["head"] in omnihub("audit", "verify").out
    lost = omnihub("audit", "verify", "--head", "0" * 64, "--json")
    assert (lost.code, lost.facts["broken"]["how"]) == (1, "changed")


def test_the_first_broken_row_is_named_and_the_exit_code_says_so(store: Store) -> None:
    judged()
    with store.write() as c:
        c.execute(sa.update(schema.audit).where(schema.audit.c.seq == 2).values(author="mallory"))
    said = omnihub("audit", "verify", "--json")
    assert (said.code, said.facts["broken"]["seq"], said.facts["broken"]["how"]) == (1, 2, "changed")
    spoken = omnihub("audit", "verify")
    assert spoken.code == 1
    assert "changed: row 2" in spoken.out


def test_what_happened_is_listed(store: Store) -> None:
    assert "Nothing" in omnihub("audit", "list").out
    judged()
    told = omnihub("audit", "list", "--json").facts
    assert [(row["author"], row["what"], row["facts"]["verdict"]) for row in told] == [
        ("eva", "judged", "same"),
        ("eva", "judged", "different"),
        ("eva", "judged", "unsure"),
    ]
    assert [row["seq"] for row in omnihub("audit", "list", "--since", "1", "--json").facts] == [2, 3]
    assert omnihub("audit", "list", "--since", "2999-01-01", "--json").facts == []
    assert omnihub("audit", "list", "--what", "written", "--json").facts == []
    assert "verdict=unsure" in omnihub("audit", "list").out
