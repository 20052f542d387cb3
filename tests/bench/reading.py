"""A pull until it can be worked with, beside dlt's `rest_api` source and beside the least that must be done.

All three read the same pages from the same server, which limits nobody, and remember how far they got:

    floor          `requests`, the answers appended to a file, and DuckDB reading the fields out of it once, typed
    omnihub        the raw bytes of each record, its canonical fields (cleaned), the cursor
    dlt            its default: a DuckDB file, loaded by INSERT
    dlt tuned      as its pages on performance advise: parquet, larger buffers and files, no child tables

dlt keeps no raw bytes and cleans nothing; it types every field there is, where we read those of the map.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.bench.measure import Measured, ask, child, measured, tell
from tests.bench.pages import PATH

FLOOR, OURS, DEFAULT, TUNED = "floor", "omnihub: land, refine", "dlt, default", "dlt, tuned"
AT = {
    "first_name": "first_name",
    "last_name": "last_name",
    "email": "email",
    "phone": "phone",
    "job_title": "job_title",
    "street": "address.street",
    "postal_code": "address.postal_code",
    "city": "address.city",
    "country": "address.country",
}
TUNING = {
    "NORMALIZE__WORKERS": "1",  # more take less time and more CPU
    "DATA_WRITER__BUFFER_MAX_ITEMS": "50000",
    "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": "1000000",
}


def run(folder: Path, records: int, times: int = 3) -> list[Measured]:
    """Each way, the middle one of several times. dlt only where it is installed."""
    ways = [("read-floor", ()), ("read-ours", ())]
    if find_spec("dlt"):
        ways += [("read-dlt", ("default",)), ("read-dlt", ("tuned",))]
    with child("serve-pages", records) as url:
        rounds = [
            [ask(name, url, folder / f"read-{n}-{way}", *more)[0] for way, (name, more) in enumerate(ways)]
            for n in range(times)
        ]
    return [sorted(several, key=lambda m: m.cpu_s)[times // 2] for several in zip(*rounds, strict=True)]


def floor(url: str, folder: str) -> None:
    """In a child: the least that must be done."""
    import duckdb
    import msgspec
    import requests

    following = msgspec.json.Decoder(msgspec.defstruct("Page", [("next", str | None)]))
    home = _fresh(folder)

    def do() -> int:
        cursor = None
        with requests.Session() as session, (home / "raw.jsonl").open("ab") as raw:
            session.trust_env = False
            while True:
                answer = session.get(url + PATH, params={"cursor": cursor} if cursor else None)
                raw.write(answer.content + b"\n")
                cursor = following.decode(answer.content).next
                if not cursor:
                    break
            raw.flush()
            os.fsync(raw.fileno())
        with duckdb.connect(str(home / "typed.duckdb")) as con:
            con.execute("SET threads = 1")
            con.execute(
                f"""CREATE TABLE things AS SELECT i.id, {", ".join(f"i.{path} AS {name}" for name, path in AT.items())}
                    FROM (SELECT unnest(items) AS i FROM read_json('{home}/raw.jsonl', format = 'newline_delimited',
                          maximum_object_size = 100000000, columns = {{items: 'STRUCT(id VARCHAR, first_name VARCHAR,
                          last_name VARCHAR, email VARCHAR, phone VARCHAR, job_title VARCHAR, address STRUCT(
                          street VARCHAR, postal_code VARCHAR, city VARCHAR, country VARCHAR))[]'}}))"""
            )
            return int(con.execute("SELECT count(*) FROM things").fetchall()[0][0])

    tell([measured(FLOOR, do)])


def ours(url: str, folder: str) -> None:
    """In a child: `omnihub.land`, then refine."""
    from omnihub.flow.hub import Hub
    from omnihub.flow.refining import refine_system
    from omnihub.land import land
    from omnihub.sdk import Connector, Cursor, Entity, Pages, Setting, Stream
    from omnihub.store import Store

    pull = Pages(PATH, "items", Cursor("next", "cursor"), updated="updated_at")
    stream = Stream("things", Entity.CONTACT, AT, pull, updated="updated_at")
    connector = Connector("bench", "Bench", "CRM", (stream,), (Setting("url", "where"),))
    store = Store.open(f"sqlite:///{_fresh(folder) / 'hub.db'}")
    hub = Hub(store, {"bench": connector}, lambda _: {"url": url})

    def do() -> int:
        [landed] = land(store, connector, {"url": url}, run_id="bench")
        refined = refine_system(hub, "bench")["things"]
        if landed.error or not landed.balanced or refined["changed"] != landed.read:
            raise SystemExit(f"reading went wrong: {landed} {refined}")
        return landed.read

    tell([measured(OURS, do)])


def peer(url: str, folder: str, way: str) -> None:
    """In a child: dlt's `rest_api` source into a DuckDB file."""
    home = _fresh(folder)
    os.environ |= {"DLT_DATA_DIR": str(home), "RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL"}
    tuned = way == "tuned"
    if tuned:
        os.environ |= TUNING
    import dlt
    from dlt.sources.rest_api import rest_api_source

    endpoint: dict[str, Any] = {
        "path": PATH.strip("/"),
        "data_selector": "items",
        "incremental": {"cursor_path": "updated_at", "start_param": "since"},
    }
    paging = {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"}
    source = rest_api_source(
        {
            "client": {"base_url": url, "paginator": paging},
            "resources": [{"name": "things", "primary_key": "id", "endpoint": endpoint}],
        }
    )
    if tuned:
        source.max_table_nesting = 0
    database = dlt.destinations.duckdb(str(home / "things.duckdb"))
    pipeline = dlt.pipeline("bench", destination=database, dataset_name="bench", pipelines_dir=str(home))

    def do() -> int:
        pipeline.run(source, **({"loader_file_format": "parquet"} if tuned else {}))
        return int(pipeline.last_trace.last_normalize_info.row_counts["things"])

    with os.fdopen(os.dup(1), "w") as answer:  # what dlt prints is no answer
        os.dup2(2, 1)
        found = measured(TUNED if tuned else DEFAULT, do)
        os.dup2(answer.fileno(), 1)
    tell([found])


def _fresh(folder: str) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    Path(folder).mkdir(parents=True)
    return Path(folder)


def missing(found: Sequence[Measured]) -> str:
    """What to say where dlt was not there to be measured."""
    there = {m.name for m in found}
    return "" if DEFAULT in there else f"dlt is not installed in {sys.prefix}: `make bench` brings it.\n"
