"""Files: CSV, JSONL, JSON, Parquet and Excel in a folder, or wherever fsspec reaches. Declared in omnihub.yaml alone.

partners:
  connector: files
  url: ./exports            # or s3://…, https://…, zip://::./all.zip; credentials come from the environment
  outbox: ./to-partners     # where files with our changes go, if any are pushed, and our findings, if they are told
  streams:
    customers: {files: "customers*.csv", entity: account, key: Id, map: {name: Company, phone: Phone}, push: [phone]}

declaration   the words of a stream
places        folders and files by fsspec: which there are, whether they changed
formats       a file's rows, one by one, with the place of each
sheets        … of CSV: encoding, delimiter, quotes
reading       pull and look: later files win, unchanged ones are not read again
outbox        changes as files of their own
notices       findings as one file beside them
in_place      changes written into the file they were read from, and persons taken out of it
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.files.declaration import FilesStream
from connectors.files.in_place import Erase, Rewrite
from connectors.files.notices import place
from connectors.files.outbox import Changes
from connectors.files.places import Place, opened
from connectors.files.reading import Look, Pull
from omnihub.sdk import Connector, Push, Setting, Stream
from omnihub.sdk.declared import NOT_ALLOWED, Declared, Misdeclared, Template, streams_of

MAX_FILE = 50_000  # records in one file of changes
HANDED_OVER = (
    "files are only read here and changes handed over: ask whoever sends them to forget this person, and delete the "
    "files that were sent, and those in the outbox, that hold them"
)


def made(declared: Declared) -> Connector:
    """The connector of a system of files. Misdeclared says what is wrong with the declaration."""
    streams = streams_of(FilesStream, declared)
    if declared.master:
        pushed = [name for name, said in streams.items() if said.push]
        if pushed:
            raise Misdeclared([(("streams", name, "push"), "a master is never written") for name in pushed])
    settings = [Setting("url", "the folder, or where fsspec finds it: s3://…, https://…, zip://::./all.zip")]
    handed_over = any(said.push and said.push.write == "changes" for said in streams.values())
    what = "the folder where files with changes go, and the file with the hub's findings"
    settings.append(Setting("outbox", what, default=None if handed_over else ""))

    def open_(given: Mapping[str, str]) -> Place:
        return opened(declared.name, declared.folder, given)

    return Connector(
        name=declared.name,
        title=declared.title,
        role=declared.role,
        master=declared.master,
        settings=tuple(settings),
        open=open_,
        place=place,
        streams=tuple(_stream(name, said) for name, said in streams.items()),
    )


def _stream(name: str, said: FilesStream) -> Stream:
    unseen = "records that no file holds any more: nobody says that they are gone"
    return Stream(
        name=name,
        entity=said.entity,
        map=said.paths,
        pull=Pull(name, said),
        key=said.key[0],
        updated=said.updated,
        push=_push(name, said),
        blind="" if said.delete == "missing" else unseen,
        full_every=said.full_every,
    )


def _push(name: str, said: FilesStream) -> Push | None:
    if said.push is None:
        return None
    handed_over = said.push.write != "in_place"
    send = Changes(name, said) if handed_over else Rewrite(name, said)
    longest = said.push.max_length
    # one at a time: a file has one writer
    look = Look(name, said)
    return Push(
        said.push.fields,
        send,
        look,
        MAX_FILE,
        parallel=1,
        max_length=longest,
        delayed=handed_over,
        erase=Erase(name, said) if said.push.erase else None,
        erase_by_hand="" if said.push.erase else HANDED_OVER if handed_over else NOT_ALLOWED,
    )


template = Template("files", "files", made)
