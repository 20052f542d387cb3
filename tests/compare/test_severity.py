"""How much a finding matters, by the money at stake in it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from omnihub.compare.severity import Stake, Weights, severity

CROWNS = Weights(high_money=Decimal(1000), low_money=Decimal(1), worth={"SEK": Decimal("0.09")})


@pytest.mark.parametrize(
    ("amount", "currency", "word"),
    [
        (999_99, "EUR", "medium"),
        (1000_00, "EUR", "high"),
        (1000_00, "SEK", "medium"),
        (11_112_00, "SEK", "high"),
        (11_111_00, "SEK", "medium"),
        (1_00, "EUR", "medium"),
        (1_00, "SEK", "low"),
        (1000_00, "USD", "high"),
    ],
)
def test_money_of_another_currency_counts_for_what_it_is_worth(amount: int, currency: str, word: str) -> None:
    found = severity("price_overlap", "shop", "price", "1", Stake(amount, currency, 1), CROWNS)
    assert found.value == word
