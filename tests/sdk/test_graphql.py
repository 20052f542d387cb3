"""GraphQL, declared: against a server that reads our documents by its schema, and says no in answers that say 200."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import graphql
import pytest

from omnihub.errors import BrokenAnswer, ConfigError, RateLimited, RejectedRecord, RetryableError
from omnihub.model import Op, Outcome
from omnihub.sandbox.kit import Call, Reply, Running, Standin, route
from omnihub.sdk import GraphByIds, GraphPages, GraphSend, Http, Row, Want, throttled
from omnihub.sdk.graphql import MAX_TRIES

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ALL = Want(None, True, NOW)
COUNT = 7

SCHEMA = graphql.build_schema("""
    type Person { id: ID! name: String updatedAt: String! gone: Boolean }
    type PageInfo { hasNextPage: Boolean! endCursor: String }
    type Edge { node: Person cursor: String }
    type People { nodes: [Person] edges: [Edge] pageInfo: PageInfo! }
    input PersonInput { id: ID, name: String, key: String }
    type UserError { field: [String!] message: String! code: String }
    type Payload { person: Person userErrors: [UserError!]! }
    type Query {
      people(first: Int!, after: String, since: String): People
      all: [Person]
      nodes(ids: [ID!]!): [Person]
    }
    type Mutation { save(input: PersonInput!): Payload }
""")
PEOPLE = """query($first: Int!, $after: String, $since: String) {
    people(first: $first, after: $after, since: $since) {
      SHAPE
      pageInfo { hasNextPage endCursor }
    }
  }"""
FIELDS = "id name updatedAt gone"
NODES = PEOPLE.replace("SHAPE", f"nodes {{ {FIELDS} }}")
EDGES = PEOPLE.replace("SHAPE", f"edges {{ node {{ {FIELDS} }} }}")


class Graph(Standin):
    """People. `fails`: the codes of errors that the next calls are answered with."""

    system, role = "graph", "portal"

    def __init__(self) -> None:
        super().__init__(quotas=())
        self.begin()

    def begin(self) -> None:
        self.held: dict[str, dict[str, Any]] = {
            f"p/{n}": {"id": f"p/{n}", "name": f"N{n}", "updatedAt": f"2026-01-0{n}T00:00:00Z", "gone": n == 3}
            for n in range(1, COUNT + 1)
        }
        self.fails: list[str] = []
        self.asked: list[Any] = []
        self.lost_cursor = self.stuck = False

    def native_id(self, stream: str, n: int) -> str:
        return str(n)

    def native(self, stream: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return dict(fields)

    def authorized(self, call: Call) -> bool:
        return True

    def error(self, status: int, code: str = "", message: str = "", wait_s: float = 0.0) -> Reply:
        return Reply(status, {"errors": [{"message": message}]})

    @route("POST", "/graphql")
    def answer(self, call: Call) -> Reply:
        sent = call.json()
        self.asked.append(sent["variables"])
        if self.fails:
            told = {"message": "anna@example.com broke it", "extensions": {"code": self.fails.pop(0)}}
            return Reply(200, {"errors": [told]})
        found = graphql.graphql_sync(SCHEMA, sent["query"], self, variable_values=sent["variables"])
        told = [{**e.formatted, "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}} for e in found.errors or ()]
        return Reply(200, {"data": found.data, **({"errors": told} if told else {})})

    def people(self, _: Any, first: int, after: str | None = None, since: str | None = None) -> dict[str, Any]:
        found = [p for p in self.held.values() if p["updatedAt"] >= (since or "")]
        start = 0 if self.stuck else int(after or 0)
        some = found[start : start + first]
        more = start + first < len(found)
        info = {"hasNextPage": more, "endCursor": None if self.lost_cursor else str(start + first)}
        return {"nodes": [*some, None], "edges": [{"node": p} for p in some], "pageInfo": info}

    def all(self, _: Any) -> list[dict[str, Any]]:
        return list(self.held.values())

    def nodes(self, _: Any, ids: list[str]) -> list[dict[str, Any] | None]:
        return [self.held.get(i) for i in ids]

    def save(self, _: Any, input: dict[str, Any]) -> dict[str, Any] | None:
        if input.get("name") == "nothing":
            return None
        if input.get("name") == "stale":
            return {"userErrors": [{"code": "STALE", "message": "somebody was faster"}]}
        if not input.get("name"):
            wrong = [{"field": ["input", "name"], "message": "Name can't be blank"}, {"message": "Sorry"}]
            return {"person": None, "userErrors": wrong}
        id_ = input.get("id") or f"new/{input['key']}"
        self.held.setdefault(id_, {"id": id_, "updatedAt": ""}).update(name=input["name"])
        return {"person": self.held[id_], "userErrors": []}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with Running([Graph()]) as run:
        yield run


@pytest.fixture
def graph(running: Running) -> Graph:
    found = running.standins["graph"]
    assert isinstance(found, Graph)
    found.begin()
    return found


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def http(running: Running, waits: list[float]) -> Http:
    return Http("graph", running.urls["graph"], wait=waits.append)


def pages(query: str, **more: Any) -> GraphPages:
    return GraphPages("/graphql", query, "data.people", size=3, updated="updatedAt", deleted="gone", **more)


# -- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("query", "pointer"), [(NODES, "/data/people/nodes/1"), (EDGES, "/data/people/edges/1/node")])
def test_a_connection_is_read_to_its_end_by_its_nodes_or_its_edges(
    graph: Graph, http: Http, query: str, pointer: str
) -> None:
    found = list(pages(query)(http, ALL))
    assert [[r.id for r in page.records] for page in found] == [
        ["p/1", "p/2", "p/3"], ["p/4", "p/5", "p/6"], ["p/7"]
    ]  # fmt: skip
    assert [r.id for page in found for r in page.records if r.deleted] == ["p/3"]
    assert [(page.cursor, page.complete) for page in found] == [
        (None, False), (None, False), ("2026-01-07T00:00:00Z", True)
    ]  # fmt: skip
    assert found[0].records[1].pointer == pointer
    assert json.loads(found[0].records[1].raw) == {**graph.held["p/2"]}


def test_only_what_changed_is_asked_for(graph: Graph, http: Http) -> None:
    found = list(pages(NODES, since={"since": "{since}"})(http, Want("2026-01-06T00:00:00Z", False, NOW)))
    assert [r.id for page in found for r in page.records] == ["p/6", "p/7"]
    assert not found[-1].complete


def test_a_plain_list_is_one_page(graph: Graph, http: Http) -> None:
    [page] = GraphPages("/graphql", f"{{ all {{ {FIELDS} }} }}", "data.all", first="")(http, ALL)
    assert (len(page.records), page.complete) == (COUNT, True)


def test_a_connection_that_never_ends_or_forgets_where_it_goes_on_is_found_out(graph: Graph, http: Http) -> None:
    graph.stuck = True
    with pytest.raises(BrokenAnswer, match="points to itself"):
        list(pages(NODES)(http, ALL))
    graph.lost_cursor = True
    with pytest.raises(BrokenAnswer, match=r"ask for pageInfo\.endCursor"):
        list(pages(NODES)(http, ALL))


def test_records_are_read_by_their_ids_and_null_is_gone(graph: Graph, http: Http) -> None:
    look = GraphByIds("/graphql", f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ {FIELDS} }} }}", size=2, deleted="gone")
    found = list(look(http, ["p/1", "p/99", "p/3", "p/2"]))
    assert [r.id for page in found for r in page.records] == ["p/1", "p/2"]
    assert [r.pointer for page in found for r in page.records] == ["/data/nodes/0", "/data/nodes/1"]
    assert len(graph.asked) == 2


# -- errors in answers that say 200 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("UNAUTHENTICATED", ConfigError),
        ("ACCESS_DENIED", ConfigError),
        ("INTERNAL_SERVER_ERROR", RetryableError),
        ("BAD_USER_INPUT", RejectedRecord),
    ],
)
def test_an_error_is_raised_as_what_to_do_next_by_its_code_alone(
    graph: Graph, http: Http, code: str, kind: type[Exception]
) -> None:
    graph.fails = [code]
    with pytest.raises(kind, match=f"graph: GraphQL answered {code}") as raised:
        list(pages(NODES)(http, ALL))
    assert type(raised.value) is kind
    assert "anna" not in str(raised.value)


def test_a_document_the_schema_does_not_know_is_for_the_author(graph: Graph, http: Http) -> None:
    with pytest.raises(ConfigError, match="GRAPHQL_VALIDATION_FAILED"):
        list(pages(NODES.replace("updatedAt", "changedAt"))(http, ALL))


def test_throttled_calls_are_made_again_after_a_growing_wait(graph: Graph, http: Http, waits: list[float]) -> None:
    graph.fails = ["THROTTLED", "throttled"]
    assert sum(len(page.records) for page in pages(NODES)(http, ALL)) == COUNT
    assert waits == [1.0, 2.0]
    graph.fails = ["THROTTLED"] * 20
    with pytest.raises(RateLimited):
        list(pages(NODES)(http, ALL))
    assert 20 - len(graph.fails) == MAX_TRIES


def test_a_session_that_knows_what_throttled_looks_like_tells_all_who_share_it(graph: Graph, running: Running) -> None:
    waits: list[float] = []
    http = Http("graph", running.urls["graph"], limited=throttled, wait=waits.append)
    graph.fails = ["THROTTLED"]
    assert sum(len(page.records) for page in pages(NODES)(http, ALL)) == COUNT
    assert (http.counts.refusals, len(waits)) == (1, 1)


# -- writing ---------------------------------------------------------------------------------------------------------

SAVE = "mutation($input: PersonInput!) { save(input: $input) { person { id } userErrors { field message code } } }"
SEND = GraphSend("/graphql", SAVE, "data.save", {"input": {"id": "{id}", "*": "{body}"}}, drifted=("STALE",))
MAKE = GraphSend("/graphql", SAVE, "data.save", {"input": {"key": "{key}", "*": "{body}"}}, id="person.id")


def row(n: int, name: str, id_: str | None = None) -> Row:
    return Row(n, Op.UPDATE if id_ else Op.CREATE, id_, {"name": name}, {}, {}, f"g{n}")


def test_each_row_is_a_mutation_with_an_answer_of_its_own(graph: Graph, http: Http) -> None:
    answers = list(SEND(http, [row(1, "Anna", "p/1"), row(2, "", "p/2"), row(3, "stale", "p/3")]))
    assert [(a.n, a.outcome, a.code, a.message) for a in answers] == [
        (1, Outcome.WRITTEN, "", ""),
        (2, Outcome.REFUSED, "USER_ERROR:input.name", "Name can't be blank; Sorry"),
        (3, Outcome.DRIFTED, "STALE", "somebody was faster"),
    ]
    assert graph.held["p/1"]["name"] == "Anna"
    assert graph.asked[0] == {"input": {"id": "p/1", "name": "Anna"}}


def test_variables_may_be_a_function_of_the_row(graph: Graph, http: Http) -> None:
    send = GraphSend("/graphql", SAVE, "data.save", lambda row: {"input": {"id": row.id, "name": row.body["name"] * 2}})
    assert [a.outcome for a in send(http, [row(1, "ha", "p/1")])] == [Outcome.WRITTEN]
    assert graph.held["p/1"]["name"] == "haha"


def test_a_record_made_brings_its_id(graph: Graph, http: Http) -> None:
    assert [a.id for a in MAKE(http, [row(5, "Eva"), row(6, "Ida")])] == ["new/g5", "new/g6"]


def test_a_refused_input_is_the_rows_own_and_no_answer_is_looked_at(graph: Graph, http: Http) -> None:
    graph.fails = ["BAD_USER_INPUT"]
    bad, good = SEND(http, [row(1, "Anna", "p/1"), row(2, "Bea", "p/2")])
    assert (bad.outcome, bad.code, good.outcome) == (Outcome.REFUSED, "BAD_USER_INPUT", Outcome.WRITTEN)
    with pytest.raises(RetryableError):
        list(SEND(http, [row(3, "nothing", "p/3")]))
