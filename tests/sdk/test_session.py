"""A connector made ready to call: what must be set, what may be left out, and that the message says where."""

from __future__ import annotations

import pytest

from omnihub.errors import ConfigError
from omnihub.sdk import Connector, Refresh, Setting, open_http

ACME = Connector(
    name="acme",
    title="Acme",
    role="dealers",
    streams=(),
    settings=(
        Setting("url", "where Acme answers", default="https://acme.example"),
        Setting("client_id", "the hub's name there"),
        Setting("refresh_token", "from the login", secret=True),
        Setting("token_file", "where the newest refresh token is kept", default=""),
    ),
    auth=Refresh("/token", client_secret=""),
)
GIVEN = {"client_id": "hub", "refresh_token": "r"}


@pytest.mark.parametrize(
    ("missing", "place"),
    [
        ("client_id", r"set systems\.acme\.client_id in omnihub\.yaml, or OMNIHUB_ACME_CLIENT_ID \(the hub's name"),
        ("refresh_token", r"set OMNIHUB_ACME_REFRESH_TOKEN \(from"),
    ],
)
def test_a_setting_that_is_missing_is_named_with_its_place(missing: str, place: str) -> None:
    with pytest.raises(ConfigError, match=place):
        open_http(ACME, {name: value for name, value in GIVEN.items() if name != missing})


def test_a_setting_with_an_empty_default_may_be_left_out() -> None:
    assert open_http(ACME, GIVEN).base_url == "https://acme.example"
