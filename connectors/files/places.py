"""Folders and files by fsspec: which there are, which is the later one, and whether one has changed."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from omnihub.errors import ConfigError, RetryableError
from omnihub.sdk import Exchange, masked
from omnihub.sdk.declared import meant

SETTLED_S = 2.0  # some clocks of files tick in seconds: what changed just now may change again within the same tick
MAGIC = re.compile(r"[*?\[]")
REPORT = "consistency-report"  # how the name of the file with the hub's findings begins
PACKED = (".gz", ".bz2", ".xz", ".zst")
TIMES = ("mtime", "LastModified", "last_modified", "created", "date_time")
SIGNS = ("ETag", "etag", "md5Hash", "CRC", "checksum")


@dataclass(frozen=True)
class File:
    """One file. mark: what it is known by, "" where nothing would show a change. time: of its last change."""

    name: str  # below the system's url
    path: str
    mark: str
    time: datetime | None


@dataclass(frozen=True)
class Place:
    """Where a system's files are. `url` and `outbox` as the settings have them, made absolute."""

    system: str
    url: str
    fs: Any
    root: str
    outbox: str = ""

    @property
    def shown(self) -> str:
        """The url without anything secret."""
        return masked(self.url)

    @property
    def report(self) -> str:
        """What the file with the hub's findings is called."""
        return f"{REPORT}-{self.system}.csv"

    @property
    def is_local(self) -> bool:
        """Whether files can be put in the place of others in one step."""
        return isinstance(self.fs, LocalFileSystem)

    def files(self, pattern: str, order: str) -> list[File]:
        """The files of a pattern, the later ones last."""
        with self.trouble():
            self.fs.invalidate_cache()
            path = f"{self.root.rstrip('/')}/{pattern}" if self.root else pattern
            names = self.fs.glob(path) if MAGIC.search(pattern) else [path] if self.fs.exists(path) else []
            infos = [info for info in map(self.fs.info, names) if info.get("type") != "directory"]
        found = [self._file(info) for info in infos]
        found = [f for f in found if not f.name.rpartition("/")[2].startswith((".", "~$"))]
        found = [f for f in found if f.name.rpartition("/")[2] != self.report]  # the hub's own words are no records
        by_name = sorted(found, key=lambda f: _natural(f.name))
        return by_name if order == "name" else sorted(by_name, key=lambda f: f.time or datetime.min.replace(tzinfo=UTC))

    def none_found(self, stream: str, pattern: str) -> ConfigError:
        """Says what there is instead."""
        with suppress(Exception):  # it is only for the hint
            there = sorted(str(path).rstrip("/").rpartition("/")[2] for path in self.fs.ls(self.root, detail=False))
            return ConfigError(
                f"{self.system}/{stream}: no file {pattern} in {self.shown}; {meant(pattern, there[:20])}"
            )
        return ConfigError(f"{self.system}/{stream}: no file {pattern} in {self.shown}; check the url of this system")

    def unchanged(self, file: File) -> bool:
        """Whether it is still the file that was listed."""
        with self.trouble():
            self.fs.invalidate_cache()
            return self._file(self.fs.info(file.path)).mark == file.mark

    @contextmanager
    def read(self, file: File) -> Iterator[BinaryIO]:
        """The file's bytes, unpacked, on this machine: they can be read twice and do not change meanwhile."""
        with self.trouble():
            if self.is_local and not file.path.endswith(PACKED):
                body: BinaryIO = Path(file.path).open("rb")  # noqa: SIM115  closed below
            else:
                body = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
                with self.fs.open(file.path, "rb", compression="infer") as there:
                    shutil.copyfileobj(there, body, 1 << 20)
                body.seek(0)
        with body:
            yield body

    def exchange(self, file: str, method: str = "READ") -> Exchange:
        """What to remember of a file read or written."""
        return Exchange(method, masked(self.fs.unstrip_protocol(file)), 200, datetime.now(UTC))

    @contextmanager
    def trouble(self) -> Iterator[None]:
        """What may go wrong out there, in our words."""
        try:
            yield
        except FileNotFoundError as error:
            raise RetryableError(f"{self.system}: a file in {self.shown} is gone while it was read") from error
        except PermissionError as error:
            raise ConfigError(
                f"{self.system}: no right to {self.shown}; check who runs this and the credentials"
            ) from error
        except OSError as error:
            raise RetryableError(f"{self.system}: {self.shown} can't be read ({type(error).__name__})") from error
        except Exception as error:  # each of fsspec's drivers has errors of its own
            if type(error).__module__.partition(".")[0] in ("omnihub", "builtins"):
                raise
            raise RetryableError(f"{self.system}: {self.shown} can't be read ({type(error).__name__})") from None

    def _file(self, info: Mapping[str, Any]) -> File:
        path = str(info["name"])
        name = path[len(self.root) :].lstrip("/") if path.startswith(self.root) else path
        times = [info[name] for name in TIMES if info.get(name)]
        signs = [str(info[name]) for name in SIGNS if info.get(name) is not None]
        known = [str(info.get("size")), *map(str, times), *signs] if times or signs else []
        return File(name, path, "·".join(known), _moment(times[0]) if times else None)


def settled(file: File, now: datetime) -> bool:
    """Whether a later change of it would show."""
    return bool(file.mark) and (file.time is None or (now - file.time).total_seconds() > SETTLED_S)


def opened(system: str, folder: Path, given: Mapping[str, str]) -> Place:
    """The place the settings describe. ConfigError when there is no such place, or nothing can reach it."""
    url = absolute(given["url"], folder)
    fs, root = reach(system, url)
    place = Place(system, url, fs, root, absolute(given["outbox"], folder) if given.get("outbox") else "")
    if place.is_local and not Path(root).is_dir():
        raise ConfigError(
            f"{system}: there is no folder {root}; make it, or check systems.{system}.url in omnihub.yaml"
        )
    return place


def reach(system: str, url: str) -> tuple[Any, str]:
    """The file system of a url, and the path in it."""
    packed = {name: {"skip_instance_cache": True} for name in ("zip", "tar") if url.startswith(f"{name}://")}
    try:
        fs, root = fsspec.core.url_to_fs(url, **packed)
    except (ImportError, ValueError) as error:
        raise ConfigError(f"{system}: {masked(url)} can't be reached: {_without(url, str(error))}") from None
    except OSError as error:
        raise ConfigError(f"{system}: {masked(url)} can't be opened ({type(error).__name__}); check the url") from None
    return fs, str(root)


def absolute(url: str, folder: Path) -> str:
    """A path without a scheme is taken from the folder of the settings, also at the end of a chain (zip://::./a.zip).

    >>> absolute("exports", Path("/srv")), absolute("zip://::all.zip", Path("/srv")), absolute("s3://b/x", Path("/srv"))
    ('/srv/exports', 'zip://::/srv/all.zip', 's3://b/x')
    """
    chain = url.split("::")
    if "://" not in chain[-1]:
        chain[-1] = os.path.normpath(folder / Path(chain[-1]).expanduser())
    return "::".join(chain)


def _without(url: str, words: str) -> str:
    return words.replace(url, masked(url))


def _natural(name: str) -> list[tuple[int, int | str]]:
    """So that customers-10.csv comes after customers-9.csv."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name) if part]


def _moment(value: Any) -> datetime | None:
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, tuple):  # a zip's
        year, month, day, hour, minute, second = value[:6]
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return None
