"""Bulk 2.0 as the stand-in's org does it: query jobs and ingest jobs, each worked through a part per look at it.

What is uncertain about the vendor is an option:

    job_looks = 1                 looks at a query job until it is done
    job_rows = 5_000              rows of an ingest job that are worked through between two looks
    job_ends = "JobComplete"      how jobs end: "Failed" and "Aborted" ones end after `job_ends_after` rows
    results_in_order = False      whether results come in the order of the rows
    result_rows = 50_000          records of a page of results, at most
    results_live_s = 604_800      how long they can be read
    plain_decimals = False        a whole amount is 1000 in a CSV, not 1000.0
    csv_stamps = "Z"              how a CSV writes the zone of a time, else "+0000"
    may_hard_delete = True        whether the user may delete for good
    hard_delete_takes_bin = True  whether that takes what is in the recycle bin already
    unprocessed = "unprocessedrecords"    the path's last word; the vendor's SDK asks for "unprocessedRecords"
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from connectors.salesforce import soql
from connectors.salesforce.objects import NUMBERS, OBJECTS, TEXTS, Column, Object, Refused, id_of, stamp
from omnihub.sandbox.kit import Call, Reply, Standin, route
from omnihub.sandbox.state import Obj, iso

JOBS = "/services/data/v{version}/jobs"
MAX_FILE = 150 * 1024 * 1024
CSV = "text/csv"
OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
ENDED = ("JobComplete", "Failed", "Aborted")

Job = dict[str, Any]


class Jobs(Standin):
    """The jobs of an org. What it holds and keeps, the org itself is asked."""

    def hits(self, query: soql.Query, *, deleted: bool) -> list[str]:
        """The ids a query finds."""
        raise NotImplementedError

    def shown(
        self, version: str, of: Object, ids: Sequence[str], columns: Sequence[Column]
    ) -> Iterator[dict[str, Any]]:
        """These records as REST shows them."""
        raise NotImplementedError

    def wished(self, call: Call, of: Object, operation: str, key: str, row: Mapping[str, Any]) -> Obj:
        """The record as it would be after this row of a job, or `Refused`."""
        raise NotImplementedError

    def kept(self, obj: Obj) -> Obj:
        """Keep it."""
        raise NotImplementedError

    def purge(self, obj: Obj) -> None:
        """Forget it for good."""
        raise NotImplementedError

    # -- query jobs ----------------------------------------------------------------------------------------------

    @route("POST", f"{JOBS}/query")
    def create_query_job(self, call: Call) -> Reply:
        asked = call.json()
        if asked.get("operation") not in ("query", "queryAll"):
            return self.error(400, "INVALIDENTITY", "Unsupported operation")
        try:
            query = soql.parse(str(asked.get("query", "")))
        except Refused as no:
            return self.error(400, no.code, no.message)
        if query.count or query.offset or any(c.type == "address" for c in query.columns):
            return self.error(400, "API_ERROR", "This query is not supported by Bulk API 2.0")
        job = self._begin(call, "query", query.of.name, asked)
        self.state.keep(f"job/{job['id']}/ids", "".join(self.hits(query, deleted=asked["operation"] == "queryAll")))
        return Reply(200, _told(job, "UploadComplete"))

    @route("GET", f"{JOBS}/query/{{job}}")
    def query_job(self, call: Call) -> Reply:
        job = self._job(call, "query")
        if job is None:
            return self.error(404)
        if job["state"] not in ENDED:
            job["looks"] += 1
            job["state"] = "InProgress"
            if job["looks"] >= self.options.get("job_looks", 1):
                self._end(job)
                job["processed"] = len(self.state.note(f"job/{job['id']}/ids", "")) // 18
            self._keep(job)
        return Reply(200, _told(job))

    @route("GET", f"{JOBS}/query/{{job}}/results")
    def query_results(self, call: Call) -> Reply:
        job = self._job(call, "query")
        if job is None or self._expired(job):
            return self.error(404, message="The requested resource does not exist")
        if job["state"] != "JobComplete":
            return self.error(400, "INVALIDJOBSTATE", "The job has no results")
        ids, query = self.state.note(f"job/{job['id']}/ids", ""), soql.parse(job["query"])
        start = int(call.param("locator") or "0", 36)
        size = min(self.options.get("result_rows", 50_000), int(call.param("maxRecords") or 50_000))
        page = [ids[i : i + 18] for i in range(start * 18, min(len(ids), (start + size) * 18), 18)]
        names = [c.name for c in query.columns]
        rows = list(self.shown(call.path["version"], query.of, page, query.columns))
        body = _csv(names, ([self._cell(c, row[c.name]) for c in query.columns] for row in rows))
        following = base36(start + size) if (start + size) * 18 < len(ids) else "null"
        return Reply(200, body, {"Sforce-Locator": following, "Sforce-NumberOfRecords": str(len(rows))}, CSV)

    def _cell(self, column: Column, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        if column.type == "datetime":
            return str(value).replace("+0000", self.options.get("csv_stamps", "Z"))
        if column.type in NUMBERS and self.options.get("plain_decimals"):
            return str(value).removesuffix(".0")
        return str(value)

    # -- ingest jobs ---------------------------------------------------------------------------------------------

    @route("POST", f"{JOBS}/ingest")
    def create_ingest_job(self, call: Call) -> Reply:
        asked = call.json()
        if asked.get("operation") not in OPERATIONS or asked.get("object") not in OBJECTS:
            return self.error(400, "INVALIDENTITY", "Unsupported operation or object")
        if asked["operation"] == "hardDelete" and not self.options.get("may_hard_delete", True):
            why = "HardDelete operation requires special user profile permission, please contact your administrator"
            return self.error(400, "FEATURENOTENABLED", why)
        if asked["operation"] == "upsert" and not asked.get("externalIdFieldName"):
            return self.error(400, "INVALIDJOB", "externalIdFieldName is required for an upsert")
        return Reply(200, _told(self._begin(call, "ingest", asked["object"], asked)))

    @route("PUT", f"{JOBS}/ingest/{{job}}/batches")
    def upload(self, call: Call) -> Reply:
        job = self._job(call, "ingest")
        if job is None:
            return self.error(404)
        if job["state"] != "Open" or job["uploaded"]:
            return self.error(400, "INVALIDJOBSTATE", f"Found multiple contents for job: <{job['id']}>")
        if len(call.body) * 4 / 3 > MAX_FILE or not call.headers.get("content-type", "").startswith(CSV):
            return self.error(400, "INVALIDBATCH", "The file is too large, or no CSV")
        self.state.keep(f"job/{job['id']}/file", call.body.decode())
        job["uploaded"] = True
        self._keep(job)
        return Reply(201)

    @route("PATCH", f"{JOBS}/ingest/{{job}}", f"{JOBS}/query/{{job}}")
    def change_job(self, call: Call) -> Reply:
        job = self._job(call, "")
        if job is None:
            return self.error(404)
        state = call.json().get("state")
        if (
            job["state"]
            not in {"Aborted": ("Open", "UploadComplete", "InProgress"), "UploadComplete": ("Open",)}[state]
        ):
            return self.error(400, "INVALIDJOBSTATE", f"Job is {job['state']}: it can't become {state}")
        job["state"] = state
        self._keep(job)
        return Reply(200, _told(job))

    @route("GET", f"{JOBS}/ingest/{{job}}")
    def ingest_job(self, call: Call) -> Reply:
        job = self._job(call, "ingest")
        if job is None:
            return self.error(404)
        if job["state"] in ("UploadComplete", "InProgress"):
            self._work(call, job)
            self._keep(job)
        return Reply(200, _told(job))

    @route("DELETE", f"{JOBS}/ingest/{{job}}", f"{JOBS}/query/{{job}}")
    def delete_job(self, call: Call) -> Reply:
        job = self._job(call, "")
        if job is None or job["state"] not in ENDED:
            return self.error(404 if job is None else 400)
        self.state.keep("jobs", {id_: j for id_, j in self.state.note("jobs", {}).items() if id_ != job["id"]})
        return Reply(204)

    @route("GET", f"{JOBS}/ingest/{{job}}/{{results}}")
    def ingest_results(self, call: Call) -> Reply:
        job = self._job(call, "ingest")
        which = call.path["results"]
        if job is None or self._expired(job) or which not in (*RESULTS, self.options.get("unprocessed", UNPROCESSED)):
            return self.error(404)
        if job["state"] not in ENDED:
            return self.error(400, "INVALIDJOBSTATE", "The job has not ended")
        names, rows = self._rows(job)
        done = self.state.note(f"job/{job['id']}/done", [])
        if which.lower() == UNPROCESSED:
            return Reply(200, _csv(names, rows[len(done) :]), content_type=CSV)
        extra = RESULTS[which]
        found = [[*told, *row] for (good, told), row in zip(done, rows, strict=False) if good == (extra == CREATED)]
        if not self.options.get("results_in_order", False):
            found.reverse()
        return Reply(200, _csv(["sf__Id", extra, *names], found), content_type=CSV)

    def _work(self, call: Call, job: Job) -> None:
        """Carry out the next part of the rows."""
        names, rows = self._rows(job)
        of, done = OBJECTS[job["object"]], self.state.note(f"job/{job['id']}/done", [])
        unknown = next((n for n in names if of.column(n) is None), None)
        if not names or unknown:
            job["state"], job["error"] = "Failed", f"InvalidBatch : Field name not found : {unknown or ''}"
            return
        most = self.options.get("job_ends_after", len(rows)) if self._ends() != "JobComplete" else len(rows)
        end = min(most, len(done) + self.options.get("job_rows", 5_000))
        seen = {row[names.index("Id")] for row in rows[: len(done)]} if "Id" in names else set()
        for row in rows[len(done) : end]:
            done.append(self._row(call, job, of, dict(zip(names, row, strict=False)), seen))
        self.state.keep(f"job/{job['id']}/done", done)
        job["processed"], job["failed"] = len(done), sum(1 for good, _ in done if not good)
        job["state"] = "InProgress"
        if end >= most:
            self._end(job)

    def _row(self, call: Call, job: Job, of: Object, row: Mapping[str, str], seen: set[str]) -> tuple[bool, list[str]]:
        try:
            if row.get("Id") in seen:
                raise Refused("DUPLICATE_VALUE", "Duplicate id specified: " + row["Id"], ["Id"])
            seen |= {row["Id"]} if row.get("Id") else set()
            self.judge_row()
            values = {n: _value(of, n, v) for n, v in row.items() if v != ""}
            obj = self.wished(call, of, job["operation"], job["key"], values)
            if job["operation"] == "hardDelete":
                self.purge(obj)
                return True, [obj.id, "false"]
            created = not obj.id
            return True, [self.kept(obj).id, str(created).lower()]
        except Refused as no:
            return False, [row.get("Id", ""), f"{no.code}:{no.message}:{', '.join(no.fields)} --"]

    def _rows(self, job: Job) -> tuple[list[str], list[list[str]]]:
        found = list(csv.reader(io.StringIO(self.state.note(f"job/{job['id']}/file", ""), newline="")))
        return (found[0], found[1:]) if found else ([], [])

    # -- jobs ----------------------------------------------------------------------------------------------------

    def _begin(self, call: Call, kind: str, name: str, asked: Mapping[str, Any]) -> Job:
        jobs = self.state.note("jobs", {})
        number = self.state.note("jobs made", 0) + 1
        job: Job = {
            "id": id_of("750", number),
            "kind": kind,
            "object": name,
            "operation": asked["operation"],
            "query": asked.get("query", ""),
            "key": asked.get("externalIdFieldName", ""),
            "version": call.path["version"],
            "state": "Open" if kind == "ingest" else "UploadComplete",
            "at": iso(self.now()),
            "looks": 0,
            "uploaded": False,
            "processed": 0,
            "failed": 0,
            "error": "",
        }
        self.state.keep("jobs made", number)
        self.state.keep("jobs", jobs | {job["id"]: job})
        return job

    def _job(self, call: Call, kind: str) -> Job | None:
        job: Job | None = self.state.note("jobs", {}).get(call.path["job"])
        return job if job and kind in ("", job["kind"]) else None

    def _keep(self, job: Job) -> None:
        self.state.keep("jobs", self.state.note("jobs", {}) | {job["id"]: job})

    def _ends(self) -> str:
        return str(self.options.get("job_ends", "JobComplete"))

    def _end(self, job: Job) -> None:
        job["state"] = self._ends()
        if job["state"] == "Failed":
            job["error"] = "ApiBatchItems Limit exceeded : the job was ended by the org"

    def _expired(self, job: Job) -> bool:
        return bool(job["at"] < iso(self.now() - timedelta(seconds=self.options.get("results_live_s", 604_800))))


CREATED, ERROR, UNPROCESSED = "sf__Created", "sf__Error", "unprocessedrecords"
RESULTS = {"successfulResults": CREATED, "failedResults": ERROR}


def _told(job: Job, state: str = "") -> dict[str, Any]:
    """A job as the org tells it."""
    told = {
        "id": job["id"],
        "operation": job["operation"],
        "object": job["object"],
        "createdById": "005RM0000000001YAA",
        "createdDate": stamp(job["at"]),
        "systemModstamp": stamp(job["at"]),
        "state": state or job["state"],
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(job["version"]),
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
        "numberRecordsProcessed": job["processed"],
    }
    if job["kind"] == "ingest":
        told["jobType"] = "V2Ingest"
        told["numberRecordsFailed"] = job["failed"]
        told["contentUrl"] = f"services/data/v{job['version']}/jobs/ingest/{job['id']}/batches"
    if job["key"]:
        told["externalIdFieldName"] = job["key"]
    return told | ({"errorMessage": job["error"]} if job["error"] else {})


def _value(of: Object, name: str, text: str) -> Any:
    """A cell as the value it stands for. Blank ones were left out before."""
    column = of.column(name)
    if text == "#N/A" or column is None:
        return None
    if column.type == "boolean":
        return text.lower() in ("true", "1")
    if column.type in TEXTS:
        return text
    return text.replace("Z", "+00:00") if column.type == "datetime" else text


def _csv(names: Sequence[str], rows: Any) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue()


def base36(number: int) -> str:
    """A locator: opaque to whoever reads it.

    >>> base36(2000), int(base36(2000), 36)
    ('1JK', 2000)
    """
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit] + digits
    return digits or "0"
