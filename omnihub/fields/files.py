"""Files: known by their names, for each system keeps them at an address of its own."""

from __future__ import annotations

import re
from urllib.parse import unquote

from omnihub.fields.text import Unclean, collapse
from omnihub.fields.text import same_key as same_text

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_ADDED = re.compile(r"_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=\.[a-z0-9]+$)", re.IGNORECASE)


def clean(text: str, country: str | None = None) -> str:
    """The name alone: of an address, its last part without what a store of files puts behind it.

    >>> clean("https://cdn.example.com/s/1/pump%20a.jpg?v=17&width=200"), clean("img/pump.png")
    ('pump a.jpg', 'pump.png')
    """
    if _URL.match(text):
        name = unquote(re.split("[?#]", text, maxsplit=1)[0]).rstrip("/").rpartition("/")[2]
        name = _ADDED.sub("", name)
    else:
        name = text.rstrip("/").rpartition("/")[2]
    name = collapse(name)
    if not name or not name.strip("."):
        raise Unclean("an address without a file")
    return name


def same_key(value: str) -> str:
    """Without capitals; .jpeg is .jpg.

    >>> same_key("Pump.JPEG") == same_key("pump.jpg"), same_key("pump.png") == same_key("pump.jpg")
    (True, False)
    """
    return re.sub(r"\.jpeg$", ".jpg", same_text(value))
