"""Database: tables and queries of any database SQLAlchemy speaks. Declared in omnihub.yaml alone.

    erp:
      connector: database       # its url, where it has a password, is the variable OMNIHUB_ERP_URL
      streams:
        orders: {table: orders, key: id, updated: changed_at, entity: order, map: {number: number, status: state}}

    declaration   the words of a stream
    tables        what of the database a stream reads: columns, key, types
    reading       pull and look: in the order of change where there is one, else whole
    writing       updates by key, where the row still stands as it was seen; creation by a key of ours; erasure
    notices       the hub's findings, in the table the settings name for them

Nothing is written unless a stream says `push`; until then the connection itself is read only where the database can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from connectors.database.declaration import DatabaseStream
from connectors.database.notices import FINDINGS_TABLE, place
from connectors.database.reading import Find, Look, Pull
from connectors.database.tables import Client, opened
from connectors.database.writing import Create, Erase, Update
from omnihub.errors import ConfigError
from omnihub.sdk import Connector, Push, Setting, Stream
from omnihub.sdk.declared import NOT_ALLOWED, Declared, Misdeclared, Template, streams_of

MAX_BATCH = 500  # rows in one transaction


def made(declared: Declared) -> Connector:
    """The connector of a database. Misdeclared says what is wrong with the declaration."""
    streams = streams_of(DatabaseStream, declared)
    writes = [name for name, said in streams.items() if said.push]
    if declared.master and writes:
        raise Misdeclared([(("streams", name, "push"), "a master is never written") for name in writes])

    def open_(given: Mapping[str, str]) -> Client:
        client = opened(declared.name, given["url"], declared.folder, read_only=not writes)
        table = given.get("findings_table", "")
        if not table:
            return client
        if table in {name for said in streams.values() for name in (said.table, f"{said.schema_}.{said.table}")}:
            raise ConfigError(f"{declared.name}: {table} is read; name another table in its findings_table")
        telling = opened(declared.name, given["url"], declared.folder, read_only=False)
        return replace(client, findings_table=table, telling=telling)

    return Connector(
        name=declared.name,
        title=declared.title,
        role=declared.role,
        master=declared.master,
        settings=(
            Setting("url", "as in postgresql+psycopg://user:password@host/database"),
            Setting("findings_table", FINDINGS_TABLE, default=""),
        ),
        open=open_,
        place=place,
        streams=tuple(_stream(name, said) for name, said in streams.items()),
    )


def _stream(name: str, said: DatabaseStream) -> Stream:
    return Stream(
        name=name,
        entity=said.entity,
        map=said.paths,
        pull=Pull(name, said),
        key=said.key[0],
        updated=said.updated,
        push=_push(name, said),
        blind=f"deleted rows, and rows without a {said.updated}" if said.updated else "",
        full_every=said.full_every or (timedelta(days=1) if said.updated else None),
    )


def _push(name: str, said: DatabaseStream) -> Push | None:
    if said.push is None:
        return None
    return Push(
        said.push.fields,
        Update(name, said),
        Look(name, said),
        batch=MAX_BATCH,
        create=Create(name, said) if said.push.create else None,
        find=Find(name, said) if said.push.create else None,
        max_length=said.push.max_length,
        erase=Erase(name, said) if said.push.erase else None,
        erase_by_hand="" if said.push.erase else NOT_ALLOWED,
        parallel=1,  # rows of one table wait for each other anyway
    )


template = Template("database", "database", made)
