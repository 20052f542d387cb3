"""Where the stand-ins are: told to every process of this hub, and never mistaken for another sandbox's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

from omnihub.sandbox.kit import Call, Reply, Standin, route
from omnihub.sandbox.serving import addresses, folder, serving


class Acme(Standin):
    """A system that only says hello."""

    system, role = "acme", "crm"
    credentials: ClassVar[dict[str, str]] = {"token": "t"}

    @route("GET", "/hello", open_=True)
    def hello(self, call: Call) -> Reply:
        return Reply(200, {"hello": "you"})

    def authorized(self, call: Call) -> bool:
        return False

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        return Reply(status)


def test_a_sandbox_tells_where_it_is_for_as_long_as_it_serves(tmp_path: Path) -> None:
    assert addresses(tmp_path) == {}
    with serving(tmp_path, {"acme": Acme()}) as running:
        assert addresses(tmp_path) == {"acme": {"url": running.urls["acme"], "token": "t"}}
    assert addresses(tmp_path) == {}


def test_what_a_killed_sandbox_left_behind_is_not_taken_for_the_one_that_answers_there_now(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    with serving(other, {"acme": Acme()}) as running:
        folder(mine).mkdir(parents=True)
        left_behind = {"badge": "mine", "systems": {"acme": {"url": running.urls["acme"]}}}
        (folder(mine) / "addresses.json").write_text(json.dumps(left_behind))
        assert addresses(mine) == {}
        assert addresses(other)
