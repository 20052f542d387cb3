"""Pull and look: the rows of all files of a stream. The later file wins, and in a file the later row.

So that the hub sees the winner alone, files are read from the last to the first, and each is gone through twice: for
its keys, then for its records. The cursor knows each file by size and time (or ETag); a file it knows is not read
again, unless an earlier one changed whose rows it may overrule.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import xxhash

from connectors.files.declaration import FilesStream
from connectors.files.formats import rows
from connectors.files.places import File, Place, settled
from omnihub.errors import RetryableError
from omnihub.sdk import Page, Record, Want

PAGE = 1_000
CURSOR_EVERY = 5_000  # records; the cursor names every file, and is not written after each of ten thousand


@dataclass(frozen=True)
class Pull:
    """Read what is new in the files of a stream."""

    stream: str
    said: FilesStream

    def __call__(self, place: Place, want: Want) -> Iterator[Page]:
        """Pages of winners, from the last file to the first."""
        files = _files(place, self.stream, self.said, must=want.since is None or self.said.delete == "missing")
        marks = _marks(want.since, self.said)
        changed = [file for file in files if not file.mark or marks.get(file.name) != file.mark]
        whole = want.complete
        if self.said.delete == "missing":  # what is missing shows only when all is read
            whole = whole or bool(changed) or marks.keys() != {file.name for file in files}
        if not (whole or changed):
            yield Page(place.exchange(place.root), (), _cursor({f.name: f.mark for f in files}, self.said))
            return
        first = 0 if whole else files.index(changed[0])
        yield from self._read(place, want, files, first, set(changed) if not whole else set(files))

    def _read(self, place: Place, want: Want, files: Sequence[File], first: int, wanted: set[File]) -> Iterator[Page]:
        known = {file.name: file.mark for file in files if file not in wanted}
        overruled: set[int] = set()
        unsaid = 0
        missing_is_gone = self.said.delete == "missing"
        for file in reversed(files[first:]):
            last = file is files[first]
            records: list[Record] = []
            for records, more in _ahead(_winners(place, self.stream, file, self.said, overruled, file in wanted)):
                unsaid += len(records)
                if more:
                    yield Page(place.exchange(file.path), records)
            if not place.unchanged(file):
                raise RetryableError(f"{place.system}/{self.stream}: {file.name} is being written; run again later")
            if settled(file, want.now):
                known[file.name] = file.mark
            tell = last or (unsaid >= CURSOR_EVERY and not missing_is_gone)
            unsaid = 0 if tell else unsaid
            cursor = _cursor(known, self.said) if tell else None
            yield Page(place.exchange(file.path), records, cursor, complete=last and missing_is_gone)


@dataclass(frozen=True)
class Look:
    """The present state of some records: the files are read again, for these alone."""

    stream: str
    said: FilesStream

    def __call__(self, place: Place, ids: Sequence[str]) -> Iterator[Page]:
        """Pages with the winners among these records; what is missing is in no file."""
        left = set(ids)
        for file in reversed(_files(place, self.stream, self.said, must=False)):
            if not left:
                return
            with place.read(file) as body:
                where = f"{place.system}/{self.stream}: {file.name}"
                found = {record.id: record for record in rows(where, body, self.said) if record.id in left}
            left -= found.keys()
            yield Page(place.exchange(file.path), list(found.values()))


def files_of(place: Place, stream: str, said: FilesStream) -> list[File]:
    """The files that count, the later ones last."""
    return _files(place, stream, said, must=False)


def _files(place: Place, stream: str, said: FilesStream, must: bool) -> list[File]:
    found = place.files(said.files, said.order)
    if not found and must:
        raise place.none_found(stream, said.files)
    return found[-1:] if said.take == "newest" else found


def _winners(
    place: Place, stream: str, file: File, said: FilesStream, overruled: set[int], wanted: bool
) -> Iterator[list[Record]]:
    """The rows of a file that no later row or file overrules, in batches; its keys overrule the files before it.

    Not wanted: only for its keys.
    """
    where = f"{place.system}/{stream}: {file.name}"
    with place.read(file) as body:
        seen: set[int] = set()
        again: dict[int, str] = {}  # keys that are there more than once → the place of the last
        for record in rows(where, body, said):
            if record.id is None:
                continue
            key = _fingerprint(record.id)
            if key in seen:
                again[key] = record.pointer
            seen.add(key)
        if wanted:
            yield from _batches(_winning(rows(where, body, said), overruled, again))
    overruled |= seen


def _winning(found: Iterable[Record], overruled: set[int], again: dict[int, str]) -> Iterator[Record]:
    for record in found:
        key = _fingerprint(record.id) if record.id is not None else None
        if key is None or (key not in overruled and again.get(key, record.pointer) == record.pointer):
            yield record


def _batches(found: Iterator[Record]) -> Iterator[list[Record]]:
    while some := list(islice(found, PAGE)):
        yield some


def _ahead(batches: Iterator[list[Record]]) -> Iterator[tuple[list[Record], bool]]:
    """Each batch, and whether another follows."""
    before: list[Record] | None = None
    for batch in batches:
        if before is not None:
            yield before, True
        before = batch
    yield before or [], False


def _fingerprint(key: str) -> int:
    return xxhash.xxh3_64_intdigest(key.encode())


# -- cursor ----------------------------------------------------------------------------------------------------------


def _marks(cursor: str | None, said: FilesStream) -> dict[str, str]:
    """File → what it was known by; none where the files were read in another way than they would be now."""
    found = json.loads(cursor) if cursor else {}
    return dict(found["files"]) if found.get("as") == _way(said) else {}


def _cursor(marks: dict[str, str], said: FilesStream) -> str:
    return json.dumps({"as": _way(said), "files": dict(sorted(marks.items()))}, ensure_ascii=False)


def _way(said: FilesStream) -> str:
    """What of the declaration decides which records there are; a changed map needs no new reading."""
    way = said.model_dump_json(exclude={"map", "push", "full_every_hours", "entity"})
    return xxhash.xxh3_64_hexdigest(way.encode())
