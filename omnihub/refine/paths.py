"""Paths of a field map, as DuckDB writes them and as JSON pointers."""

from __future__ import annotations


def json_path(path: str) -> str:
    """A dotted path as DuckDB writes it.

    >>> json_path("addresses.0.city")
    '$."addresses"[0]."city"'
    """
    return "$" + "".join(f"[{part}]" if part.isdigit() else f'."{part}"' for part in path.split(".") if part)


def pointer_of(path: str) -> str:
    """A dotted path as a JSON pointer.

    >>> pointer_of("addresses.0.city")
    '/addresses/0/city'
    """
    return "".join(f"/{part}" for part in path.split(".") if part)
