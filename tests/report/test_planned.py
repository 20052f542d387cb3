"""A plan told: per customer, what changes where and why; the page and the Markdown, whatever the values are."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from omnihub.merge.rules import WHY
from omnihub.report import Around, Golden, Head, Pin, Story, Wish, headline, markdown, plain_story, render_plan, tell
from omnihub.report.planpage import MAX_MARKDOWN, PAGE, diffed, sentence

HOSTILE = "<script>alert('x')</script>\" onload=\"x` | @anna #12 ![](http://x.example) \u202e"

HEAD = Head(
    id="plan-1",
    hash="ab" * 32,
    state="ready",
    kind="sync",
    made_at="2026-05-04T10:00:00Z",
    run="run-1",
    counts={"planned": 3, "calls": {"desk": 12, "crm": 2}},
    guard=(),
    looked={"desk": "looked", "crm": "looked", "shop": "could not look", "master": "not supported"},
)

ACME = Golden(
    fields={"name": "Acme GmbH", "phone": "+49301", "vat_id": "DE1"},
    lineage={
        "phone": {
            "ref": "crm/firms/1",
            "rule": "trusted",
            "time": "2026-05-03T08:00:00Z",
            "losers": [
                {"ref": "shop/firms/7", "value": "+49301", "time": "", "why": "agrees"},
                {"ref": "tube/firms/2", "value": "+49301", "time": "", "why": "agrees"},
                {"ref": "desk/orgs/9", "value": "+49399", "time": "", "why": "older"},
                {"ref": "bulk/firms/5", "value": "+49377", "time": "", "why": "rarer"},
            ],
        }
    },
    members=("crm/firms/1", "desk/orgs/9", "shop/firms/7"),
)

AROUND = Around(
    titles={"crm": "Our CRM", "desk": "The desk", "shop": "The shop", "tube": "Tube", "bulk": "Bulk", "master": "List"},
    goldens={"account_1": ACME},
    records={"desk/orgs/9": {"name": "ACME"}},
    whys=WHY,
)

WORDS = "12 changes kept back: no consent for marketing"

PHONE = Wish(
    0, "desk", "orgs", "desk/orgs/9", "account_1", "update", "phone", "+49399", "+49301",
    "replaces by rule trusted: the value of crm (crm/firms/1)",
)  # fmt: skip


MAKES = "makes a record: the account is known in crm, shop, and not here"


def told(*wishes: Wish, around: Around = AROUND, head: Head = HEAD) -> Story:
    return tell(head, wishes, around)


def said(wish: Wish, around: Around = AROUND) -> str:
    """The one change of a plan as a sentence."""
    [customer] = told(wish, around=around).customers
    [record] = customer.records
    return sentence(record, record.edits[0])


class Tags(HTMLParser):
    """Every tag with its attributes, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


# -- in words --------------------------------------------------------------------------------------------------------


def test_a_change_says_where_from_what_to_what_and_why() -> None:
    [customer] = told(PHONE).customers
    assert (customer.name, customer.known_in) == ("Acme GmbH", ("Our CRM", "The desk", "The shop"))
    assert said(PHONE) == (
        "the phone in The desk changes from “+49399” to “+49301”, because Our CRM is believed, which says so since "
        "3 May 2026: The desk's own value was set earlier; The shop and Tube say the same"
    )


def test_what_a_person_was_seen_to_change_is_said_first() -> None:
    around = replace(AROUND, edited={("crm/firms/1", "phone")})
    assert "because a person changed it in Our CRM on 3 May 2026 (" in said(PHONE, around)


def test_others_that_say_something_else_are_named_with_why_they_lost() -> None:
    [edit] = told(PHONE).customers[0].records[0].edits
    assert [(one.system, one.value, one.why) for one in edit.lost] == [("Bulk", "+49377", WHY["rarer"])]


def test_a_pin_names_who_set_it_and_why() -> None:
    pinned = replace(PHONE, new="+49302", why="pinned by a steward")
    around = replace(AROUND, pins={("account_1", "phone"): Pin("+49302", "anna", "she rang them")})
    assert "because anna has set it: she rang them" in said(pinned, around)
    later = replace(AROUND, pins={("account_1", "phone"): Pin("+49303", "bert", "another one")})
    assert "because a steward has set it" in said(pinned, later)


def test_nothing_is_said_of_a_golden_value_that_is_another_one_by_now() -> None:
    earlier = replace(PHONE, new="+49300")
    assert said(earlier).endswith("because Our CRM is believed")


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (replace(PHONE, old=None), "the phone in The desk, empty so far, becomes “+49301”"),
        (replace(PHONE, new=None), "the phone in The desk is emptied; it says “+49399”"),
        (replace(PHONE, op="create", old=None), "a new record in The desk gets the phone “+49301”"),
        (replace(PHONE, op="link", old="+49301"), "the record in The desk is the hub's own again"),
        (replace(PHONE, op="unlink", old="+49301"), "the hub lets go of the record in The desk, which stays as it is"),
        (replace(PHONE, op="delete", new=None), "the record in The desk is deleted, with the phone “+49399”"),
        (replace(PHONE, why="restores what plan-0 has written over"), "because it said so before plan-0 wrote here"),
        (replace(PHONE, why="some new reason"), "because this some new reason"),
        (
            replace(PHONE, op="create", old=None, why=f"{MAKES}; the value of crm (crm/firms/1)"),
            "because it is known in Our CRM and The shop, and not in The desk; the value is that of Our CRM",
        ),
        (replace(PHONE, op="create", old=None, why=MAKES), "because it is known in Our CRM and The shop, and not in"),
    ],
)
def test_each_kind_of_change_has_its_own_words(wish: Wish, words: str) -> None:
    assert words in said(wish)


def test_a_link_is_shown_by_what_people_call_its_target() -> None:
    wish = replace(PHONE, golden_id="contact_1", field="account", old="desk/orgs/9", new="account_1")
    assert "the account in The desk changes from “ACME” to “Acme GmbH”" in said(wish)


def test_why_a_record_is_new_is_said_once_and_its_links_by_name() -> None:
    new = replace(PHONE, op="create", old=None, ref="desk/people/+contact_7", golden_id="contact_7")
    name = replace(new, field="last_name", new="Weber", why=f"{MAKES}; the value of crm (crm/people/1)")
    link = replace(new, n=1, field="account", new="desk/orgs/+account_1", why=f"{MAKES}; the value of shop (shop/u/1)")
    [record] = told(name, link).customers[0].records
    assert record.ref == ""
    assert [e.because.partition(", ")[0] for e in record.edits] == [
        "it is known in Our CRM and The shop",
        "the value is that of The shop",
    ]
    assert record.edits[1].new == "Acme GmbH"


# -- what to look at first -------------------------------------------------------------------------------------------


def test_what_is_unusual_comes_first_and_is_counted() -> None:
    usual = replace(PHONE, n=1, ref="desk/orgs/1", golden_id="account_2")
    emptied = replace(PHONE, n=2, ref="desk/orgs/2", golden_id="account_3", new=None)
    price = replace(PHONE, n=3, ref="desk/goods/3", golden_id="product_4", field="price", old="10.00", new="13.00")
    yes = replace(
        PHONE, n=4, ref="desk/people/4", golden_id="contact_5", field="marketing_consent", old="no", new="yes"
    )
    no = replace(yes, n=5, ref="desk/people/5", golden_id="contact_6", old="yes", new="no")
    new = [
        replace(PHONE, n=n, ref="desk/orgs/new", golden_id="account_7", op="create", old=None, field=field)
        for n, field in ((6, "name"), (7, "phone"))
    ]
    story = told(usual, emptied, price, yes, no, *new)
    assert [c.golden_id for c in story.customers] == [
        "contact_5", "account_3", "account_7", "contact_6", "product_4", "account_2",
    ]  # fmt: skip
    assert story.unusual == {"loosened": 1, "emptied": 1, "created": 1, "consent": 1, "price": 1}
    assert headline(story) == "7 changes for 3 companies, 2 persons and 1 product, in 1 system"
    page = Tags(render_plan(story)).text
    assert page.index("Look at these first") < page.index("System by system") < page.index("Customer by customer")


def test_many_of_one_kind_leave_room_for_the_others() -> None:
    emptied = [replace(PHONE, n=n, ref=f"desk/orgs/{n}", golden_id=f"account_{n}", new=None) for n in range(100)]
    price = replace(PHONE, n=100, ref="desk/goods/1", golden_id="product_1", field="price", old="1.00", new="2.00")
    page = render_plan(told(*emptied, price))
    first = page[page.index('id="first"') : page.index('id="systems"')]
    assert (first.count("field emptied"), first.count("price changed")) == (6, 1)
    assert "7 of 101; all of them stand first below." in first


def test_nothing_to_do_could_not_look_and_not_supported_are_different_words() -> None:
    page = Tags(render_plan(told())).text
    assert "The shop" in page
    assert "could not be looked at, so nothing is planned there" in page
    assert "is only read: the hub does not write there" in page
    assert "nothing to write: what the hub may correct agrees" in page
    assert headline(told()) == "Nothing is planned"
    assert (
        headline(told(head=replace(HEAD, looked={"crm": "looked"})))
        == "Nothing to write: what the hub may correct agrees"
    )


def test_a_stopped_plan_says_which_limit_and_the_command_that_lets_it_pass() -> None:
    head = replace(HEAD, state="blocked", guard=("desk/orgs: 90 records would change", {"words": "no emptying: 3"}))
    story = told(PHONE, head=head)
    for text in (Tags(render_plan(story)).text, markdown(story)):
        assert "90 records would change" in text
        assert "no emptying: 3" in text
        assert "omnihub approve plan-1 --because" in text
    assert "omnihub approve" not in render_plan(told(PHONE))


def test_a_limit_is_told_by_what_people_call_its_records() -> None:
    words = "desk/orgs: 90 of 100 records would change, guard.max_share allows 30 (for example desk/orgs/9)"
    limit = {"system": "desk", "stream": "orgs", "examples": ["desk/orgs/9"]}
    page = Tags(render_plan(told(PHONE, head=replace(HEAD, state="blocked", guard=(words,), limits=(limit,))))).text
    assert "The desk, orgs: 90 of 100 records would change, guard.max_share allows 30" in page
    assert "for example ACME" in page
    assert "desk/orgs/9)" not in page


def test_what_gates_kept_back_is_said_with_its_count() -> None:
    kept = [
        {"gate": "consent", "system": "crm", "field": name, "count": count, "words": WORDS}
        for name, count in (("email", 12), ("phone", 3))
    ]
    story = told(PHONE, head=replace(HEAD, counts={**HEAD.counts, "kept_back": kept}))
    assert story.kept_back == ("Our CRM: 15 changes (e-mail, phone): no consent for marketing",)
    assert story.kept_back[0] in Tags(render_plan(story)).text
    assert "no consent for marketing" in markdown(story)


def test_what_is_not_planned_says_why_and_merges_are_only_proposed() -> None:
    operations = [
        {"system": "crm", "stream": "p", "entity": "contact", "op": "create", "state": "not wanted", "records": 0},
        {"system": "desk", "stream": "o", "entity": "account", "op": "create", "state": "not supported", "records": 0},
        {"system": "desk", "stream": "u", "entity": "contact", "op": "create", "state": "planned", "records": 2}
        | {"not_made": {"lacks email": 3}},
        {"system": "desk", "stream": "u", "entity": "contact", "op": "update", "state": "nothing to do", "records": 0},
    ]
    merge = {"ref": "crm/firms/2", "into": "crm/firms/1", "golden_id": "account_1", "why": "anna has judged them"}
    counts = {**HEAD.counts, "operations": operations, "merges": {"count": 1, "proposed": [merge]}}
    story = told(PHONE, head=replace(HEAD, counts=counts))
    assert story.idle == (
        "new records, not supported: the connector can't: The desk (accounts)",
        "new records, not wanted: the settings say never: Our CRM (contacts)",
        "The desk: 3 contacts not made there: lacks email",
    )
    page = Tags(render_plan(story)).text
    assert all(line in page for line in story.idle)
    assert "crm/firms/2" in page
    assert "anna has judged them" in page


def test_an_undo_says_what_it_takes_back_who_asked_and_what_it_leaves() -> None:
    left = [{"ref": "desk/orgs/9", "field": "phone", "now": "+1", "before": "+2", "why": "somebody changed it since"}]
    about = {"undoes": ["plan-0"], "author": "anna", "reason": "wrong trust", "left": left}
    page = Tags(render_plan(told(PHONE, head=replace(HEAD, kind="undo", about=about)))).text
    assert "It takes back what plan-0 wrote, as anna asked: wrong trust." in page
    assert "somebody changed it since" in page


def test_what_became_of_a_change_stands_beside_it() -> None:
    wish = replace(PHONE, outcome="refused")
    answers = {("desk/orgs/9", "refused"): "phone is too long"}
    around = replace(AROUND, answers=answers, befores={("desk/orgs/9", "phone"): "+49400"})
    story = told(wish, around=around, head=replace(HEAD, state="applied"))
    page = Tags(render_plan(story)).text
    assert "✕ refused: phone is too long" in page
    assert "just before it was written it said “+49400”" in page
    assert "✕ refused: phone is too long" in markdown(story)


# -- old → new -------------------------------------------------------------------------------------------------------


def test_what_changes_inside_a_long_text_is_marked_and_the_rest_left_out() -> None:
    text = "The pump is made of steel. " * 200
    old, new = diffed(text + "Delivery in 3 days." + text, text + "Delivery in 5 days." + text)
    assert "<del>3</del> days" in old
    assert "<ins>5</ins> days" in new
    assert len(old) < 400
    assert old.startswith("<bdi>…")


def test_two_values_with_nothing_in_common_are_shown_as_two() -> None:
    assert diffed("Anna", "Bert") == ("<bdi><del>Anna</del></bdi>", "<bdi><ins>Bert</ins></bdi>")


def test_a_number_is_never_cut_in_two() -> None:
    assert diffed("10.00", "13.00") == ("<bdi><del>10.00</del></bdi>", "<bdi><ins>13.00</ins></bdi>")


def test_a_row_of_markdown_shows_where_long_texts_differ() -> None:
    text = "The pump is made of steel. " * 20
    wish = replace(PHONE, old=f"{text}In 3 days. {text}", new=f"{text}In 5 days. {text}")
    row = next(line for line in markdown(told(wish)).splitlines() if line.startswith("| Acme GmbH"))
    assert "In 3 days." in row
    assert "In 5 days." in row
    assert len(row) < 600


def test_an_approval_names_who_why_and_until_when() -> None:
    approval = {
        "author": "anna",
        "reason": "agreed",
        "at": "2026-05-04T11:00:00Z",
        "expires_at": "2026-05-05T11:00:00Z",
    }
    text = Tags(render_plan(told(PHONE, head=replace(HEAD, state="approved", approval=approval)))).text
    assert "anna let it pass on 4 May 2026, 11:00 UTC, until 5 May 2026, 11:00 UTC: agreed." in text


def test_a_word_is_never_cut_in_two() -> None:
    old, new = diffed("Mainstreet 12", "Mainstreet 14")
    assert (old, new) == ("<bdi>Mainstreet <del>12</del></bdi>", "<bdi>Mainstreet <ins>14</ins></bdi>")


def test_comparing_huge_values_takes_no_time() -> None:
    started = time.process_time()
    diffed(" ".join(f"a{n}" for n in range(200_000)), " ".join(f"b{n}" for n in range(200_000)))
    assert time.process_time() - started < 2


# -- the page --------------------------------------------------------------------------------------------------------


def hostile() -> Story:
    wish = replace(
        PHONE, old=HOSTILE, new=HOSTILE + "2", ref=f"desk/orgs/{HOSTILE}", golden_id="account_1", why=HOSTILE
    )
    golden = replace(ACME, fields={"name": HOSTILE, "phone": HOSTILE + "2"}, lineage={})
    around = replace(
        AROUND, titles={"desk": HOSTILE}, goldens={"account_1": golden}, records={wish.ref: {"name": HOSTILE}}
    )
    head = replace(HEAD, guard=(HOSTILE,), state="blocked", about={"author": HOSTILE, "reason": HOSTILE})
    return told(wish, around=around, head=head)


def test_no_value_becomes_markup() -> None:
    tags = Tags(render_plan(hostile())).tags
    assert [tag for tag, _ in tags].count("script") == 1  # ours
    assert not [tag for tag, attrs in tags if "onload" in attrs or "src" in attrs]


def test_only_the_pages_own_script_may_run_and_nothing_is_fetched() -> None:
    page = render_plan(told(PHONE))
    [script] = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    [policy] = [
        attrs["content"] for _, attrs in Tags(page).tags if attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def test_every_link_within_the_page_has_its_place() -> None:
    tags = Tags(render_plan(told(PHONE, replace(PHONE, n=1, new=None, ref="desk/orgs/1")))).tags
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = {attrs["href"] for _, attrs in tags if (attrs.get("href") or "").startswith("#")}
    assert links
    assert links <= {f"#{i}" for i in ids}


def many(count: int) -> list[Wish]:
    return [replace(PHONE, n=n, ref=f"desk/orgs/{n}", golden_id=f"account_{n}") for n in range(count)]


def test_twenty_thousand_changes_are_told_in_seconds_and_the_page_says_where_the_rest_is() -> None:
    started = time.process_time()
    story = told(*many(20_000))
    page, text = render_plan(story), markdown(story)
    assert time.process_time() - started < 5
    assert page.count('<article class="panel flush customer"') == PAGE
    assert f"The first {PAGE} of 20,000." in page
    assert "omnihub plan show plan-1 --json" in page
    assert len(text) <= MAX_MARKDOWN
    shown = sum(line.startswith("| account") for line in text.splitlines())
    assert f"… and {20_000 - shown:,} changes more: `omnihub plan show plan-1 --json`" in text


# -- Markdown and JSON -----------------------------------------------------------------------------------------------


def test_markdown_holds_a_summary_and_a_row_a_change() -> None:
    text = markdown(told(PHONE))
    assert text.startswith("## 1 change for 1 company, in 1 system\n")
    assert "| Acme GmbH | The desk | phone | `+49399` | `+49301` | Our CRM is believed" in text
    assert "| The shop | could not be looked at, so nothing is planned there |||||" in text


def test_no_value_becomes_markdown() -> None:
    text = markdown(hostile())
    rows = text[text.index("| Customer | System |") :].splitlines()
    bars = {len(re.findall(r"(?<!\\)\|", line)) for line in rows}
    assert bars == {7}  # six cells
    outside = re.sub(r"(`+).*?\1", "", text)
    assert not re.search(r"(?<!\\)[<>!]|@\w|#\d|\u202e", outside)


def test_the_story_is_data_too() -> None:
    data: dict[str, Any] = plain_story(told(PHONE))
    [customer] = data["customers"]
    [edit] = customer["records"][0]["edits"]
    assert (edit["rule"], edit["winner"], edit["agree"]) == ("trusted", "crm/firms/1", ("The shop", "Tube"))
    assert {s["system"]: s["looked"] for s in data["shares"]} == HEAD.looked


def test_an_undo_of_notices_alone_has_no_table_of_systems_with_nothing_in_it() -> None:
    undo = told(head=replace(HEAD, looked={}, kind="undo", counts={}))
    assert not undo.shares
    assert "System by system" not in render_plan(undo)
    assert "System by system" in render_plan(told())
