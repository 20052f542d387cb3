"""Pages cut into records: byte for byte, whatever is in them; what is no page says so."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnihub.errors import BrokenAnswer
from omnihub.sdk import records, slices, value_at

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
things = st.fixed_dictionaries(
    {"id": st.integers() | st.text(min_size=1)}, optional={"at": anything, "gone": anything, "more": anything}
)
spaces = st.sampled_from([None, 1, 3])


def page(items: list[Any], indent: int | None = None) -> bytes:
    return json.dumps({"meta": {"next": "x"}, "data": {"items": items}}, indent=indent, ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


@given(st.lists(things, max_size=5), spaces)
def test_every_record_is_a_slice_of_the_page_and_is_found_at_its_pointer(
    items: list[dict[str, Any]], indent: int | None
) -> None:
    try:
        body = page(items, indent)
        body.decode()
    except UnicodeDecodeError:
        return
    found = records(body, "data.items")
    assert [json.loads(r.raw) for r in found] == items
    assert all(r.raw in body for r in found)
    assert [r.pointer for r in found] == [f"/data/items/{n}" for n in range(len(items))]
    assert [r.id for r in found] == [str(i["id"]) for i in items]


def test_the_bytes_are_kept_as_they_came() -> None:
    raw = b'{ "id" : 7,"price":1.50, "name":"M\\u00fcller \xf0\x9f\x9a\x80","x":1e2}'
    [record] = records(b"[" + raw + b"]")
    assert record.raw == raw


def test_marks_are_found_deep_in_a_record() -> None:
    body = page([{"id": 1, "system": {"at": "2026-01-02", "state": "deleted", "into": 9, "id": "n-1"}}])
    [record] = records(
        body,
        "data.items",
        key="system.id",
        updated="system.at",
        deleted="system.state=Deleted",
        merged_into="system.into",
    )
    assert (record.id, record.updated, record.deleted, record.merged_into) == ("n-1", "2026-01-02", True, "9")


@pytest.mark.parametrize(
    ("mark", "deleted"),
    [(True, True), ("2026-01-01", True), (1, True), (False, False), (None, False), ("", False), ("false", False)],
)
def test_a_mark_of_deletion_counts_when_it_says_something(mark: Any, deleted: bool) -> None:
    [record] = records(page([{"id": 1, "gone": mark}]), "data.items", deleted="gone")
    assert record.deleted is deleted


@pytest.mark.parametrize("item", [{}, {"id": None}, {"id": ""}])
def test_a_record_without_a_key_is_kept_all_the_same(item: dict[str, Any]) -> None:
    [record] = records(page([item]), "data.items")
    assert record.id is None
    assert json.loads(record.raw) == item


def test_a_key_that_is_a_number_is_kept_to_the_last_digit() -> None:
    [record] = records(b'[{"id": 12345678901234567890}]')
    assert record.id == "12345678901234567890"


def test_a_long_field_is_no_trouble() -> None:
    [record] = records(page([{"id": 1, "note": "x" * 5_000_000}]), "data.items")
    assert len(record.raw) > 5_000_000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad gateway</html>",
        b'{"data": {"items": [{"id": 1}',
        b'{"data": {"items": {"id": 1}}}',
        b'{"data": {}}',
        b'{"data": null}',
        b"[]",
        b'{"data": {"items": [1]}}',
        b'{"data": {"items": ["x"]}}',
        b'{"data": {"items": [{"id": "\xff"}]}}',
        b'\xff\xfe{"data": {"items": []}}',
        b'{"data": {"items": [{"id": "1", "at": 5}]}}',
        b'{"data": {"items": [{"id": "1", "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}}",
    ],
)
def test_what_is_no_page_is_a_broken_answer(body: bytes) -> None:
    with pytest.raises(BrokenAnswer) as raised:
        records(body, "data.items", updated="at.time")
    assert len(str(raised.value)) < 300


@given(st.binary(max_size=60))
def test_whatever_bytes_come_it_is_a_page_or_a_broken_answer(body: bytes) -> None:
    try:
        found = records(body, "a")
    except BrokenAnswer:
        return
    assert all(record.raw in body for record in found)


@pytest.mark.parametrize("text", ['"\\ud800"', '"a\\udfffb"'])
def test_a_key_that_is_no_text_is_a_broken_answer_or_text(text: str) -> None:
    """Half a surrogate pair can be written in JSON, but is no character: nothing could be filed under it."""
    try:
        [record] = records(f'[{{"id": {text}}}]'.encode())
    except BrokenAnswer:
        return
    assert record.id is not None
    record.id.encode()


@given(anything, st.lists(st.sampled_from(["a", "b.c", "d"]), min_size=1, max_size=3))
def test_a_value_deep_in_a_document_is_found_without_reading_the_rest(value: Any, names: list[str]) -> None:
    path = ".".join(names)
    document = value
    for name in reversed(path.split(".")):
        document = {"other": [1, {"x": 2}], name: document}
    try:
        body = json.dumps(document).encode()
        body.decode().encode()
    except UnicodeError:
        return
    assert value_at(body, path) == value or "\\ud" in body.decode()
    assert value_at(body, f"{path.rpartition('.')[0]}.nowhere".lstrip(".")) is None


def test_a_list_of_slices_is_not_parsed() -> None:
    assert [bytes(s) for s in slices(b'{"a": [1.50, {"b": 1e2}]}', "a")] == [b"1.50", b'{"b": 1e2}']


@pytest.mark.parametrize("body", [b'{"paging": null}', b'{"paging": {"next": null}}', b"{}", b"null"])
def test_a_null_on_the_way_to_a_value_means_there_is_none(body: bytes) -> None:
    assert value_at(body, "paging.next.after") is None


def test_a_value_can_be_had_as_the_bytes_it_was_sent_in() -> None:
    assert bytes(value_at(b'{"data": {"x": 1.50}}', "data", msgspec.Raw)) == b'{"x": 1.50}'
    assert value_at(b'{"data": {}}', "data.x", msgspec.Raw) is None
