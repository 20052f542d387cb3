"""Plain values: texts that are canonical as they stand, which their form alone tells.

Most of what systems send is. One pattern finds them in a whole column at once; whatever it does not know goes through
`fields.clean`, which would say of these just what they say themselves. The patterns mean the same to `re` and to RE2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from omnihub.fields.emails import JUNK_HOST, JUNK_LOCAL
from omnihub.model import Kind

MOST = 64  # bytes a plain value has at most: no kind refuses that for its length

_DAY = r"(?:19|20|21)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
_HOST = r"(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}"

PLAIN: Mapping[Kind, str] = {
    Kind.EMAIL: rf"^[a-z0-9]+(?:[._+-][a-z0-9]+)*@{_HOST}$",
    Kind.POSTAL: r"^(?:0[1-9]|1[013-9]|[2-8][0-9]|9[0-8])[0-9]{2,4}$",
    Kind.MONEY: r"^(?:0|[1-9][0-9]{0,14})\.[0-9]{2}$",
    Kind.DATE: rf"^{_DAY}$",
    Kind.TIME: rf"^{_DAY}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$",
    Kind.CODE: r"^[A-Za-z0-9#_-]*[0-9][A-Za-z0-9#_-]*$",
    Kind.LINK: r"^[!#-\[\]-~]+$",  # no blanks, and nothing that JSON writes otherwise
}
"""What a plain value of each kind looks like. No kind means nothing by one of these that it would not keep."""


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words))


JUNK: Mapping[Kind, str] = {Kind.EMAIL: rf"^(?:{_any(JUNK_LOCAL)})@|@(?:{_any(JUNK_HOST)})$"}
"""What looks plain and is refused all the same."""
