"""The page: it shows what is so, in plain words, whatever the values are."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from omnihub.report import (
    AuditFacts,
    Cause,
    Facts,
    FieldScore,
    Item,
    KindCount,
    PlanOutcome,
    Refusal,
    RunFacts,
    Score,
    ServiceScore,
    SystemFacts,
    Task,
    Trouble,
    Written,
    plain,
    render,
)
from omnihub.report.page import MAX_SHOWN, headline, percent, sentence, value

HOSTILE = "<script>alert('x')</script>\" onload=\"x"

ITEM = Item(
    id="f1",
    severity="high",
    kind="value_differs",
    system="crm",
    entity="contact",
    stream="people",
    record="Anna Meyer",
    ref="crm/people/1",
    field="e-mail",
    says="a@b.example",
    says_length=11,
    should_say="c@d.example",
    should_say_length=11,
    why="The shop is believed.",
    since="2026-02-01T00:00:00Z",
    status="to_fix",
    next_step="Correct it.",
    owner="Our CRM",
    golden_id="contact_1",
    about="crm/people/1",
)

RUN = RunFacts(
    id="run-1",
    started_at="2026-03-01T10:00:00Z",
    ended_at=None,
    state="ok",
    balanced=True,
    blocked=False,
    read=1200,
    new=1000,
    changed=100,
    same=99,
    rejected=1,
    gone=0,
    systems_read=("crm", "shop"),
    systems_failed=(),
    stopped=(),
    opened=3,
    resolved=2,
    planned=5,
    written=4,
    refused=1,
    deferred=0,
    drifted=0,
    left=0,
)

CRM = SystemFacts("crm", "Our CRM", "CRM", False, "read", 1, 1, 1, 0, 0, (ITEM,))
SHOP = SystemFacts("shop", "The shop", "e-commerce", False, "read", 0, 0, 0, 0, 0, ())

EMPTY = Facts("2026-03-01T10:05:00Z", None, (), (), (), (), None, (), 0, {}, (), (), (), 0, 0)
FULL = replace(
    EMPTY,
    run=RUN,
    systems=(SHOP, CRM),
    scores=(Score("crm", "contact", 10, 9, 20, 40, 30, 27, 1, 0),),
    fields=(FieldScore("crm", "contact", "email", 40, 30, 27, 1, 0),),
    kinds=(KindCount("value_differs", "Value differs", "Another value.", "high", 1, 1, (ITEM,)),),
    plan=PlanOutcome("plan-1", "applied", True, "2026-03-01T10:01:00Z", None, (), (Written("crm", 5, 4, 1, 0, 0, 0),)),
    records=10,
    goldens=20,
)


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


def hostile() -> Facts:
    item = replace(ITEM, record=HOSTILE, says=HOSTILE, should_say=HOSTILE, ref=HOSTILE, why=HOSTILE, next_step=HOSTILE)
    return replace(
        FULL,
        systems=(replace(CRM, fix=(item,)),),
        kinds=(replace(FULL.kinds[0], examples=(item,)),),
        refusals=(
            Refusal("crm", HOSTILE, HOSTILE, "email", HOSTILE, HOSTILE, HOSTILE, HOSTILE, "2026-03-01T10:00:00Z"),
        ),
        troubles=(Trouble("crm", "people", HOSTILE, None),),
        plan=PlanOutcome("plan-1", "blocked", True, "2026-03-01T10:01:00Z", None, (HOSTILE,), ()),
    )


def test_no_value_becomes_markup() -> None:
    page = Tags(render(hostile()))
    assert not [tag for tag, attrs in page.tags if tag == "script" or "onload" in attrs]
    assert page.text.count(HOSTILE) > 10


def test_the_page_asks_nothing_of_the_outside() -> None:
    page = render(FULL)
    links = [attrs.get(name) or "" for _, attrs in Tags(page).tags for name in ("href", "src")]
    assert not [link for link in links if re.match(r"(?i)\s*(https?:|//|data:|javascript:)", link)]
    assert not re.search(r"@import|url\(\s*['\"]?(http|//|data)", page)


def test_every_link_within_the_page_has_its_place() -> None:
    tags = Tags(render(FULL)).tags
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["href"] for _, attrs in tags if (attrs.get("href") or "").startswith("#")} <= {f"#{i}" for i in ids}


def test_a_long_value_is_cut_with_a_note() -> None:
    shown = value("x" * 500, 5_000_000)
    assert shown == f"<bdi>{'x' * MAX_SHOWN}… (cut: 5,000,000 characters in all)</bdi>"


def test_signs_nobody_sees_cannot_turn_the_page_around() -> None:
    assert value("abc\u202egpj\x00") == "<bdi>abc�gpj�</bdi>"


def test_nothing_is_called_nothing() -> None:
    assert "nothing" in value(None)


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (1.0, "100 %"),
        (0.99999, "99.9 %"),
        (0.5, "50.0 %"),
        (0.0, "0.0 %"),
        (0.29, "29.0 %"),
        (9 / 10, "90.0 %"),
        (None, "–"),
    ],
)
def test_a_share_is_cut_and_never_rounded_up(share: float | None, shown: str) -> None:
    assert percent(share) == shown


def test_an_empty_hub_gives_a_sensible_page() -> None:
    page = render(EMPTY)
    body = page[page.index("<body>") :]
    assert "Nothing has been read yet" in body
    assert "The hub has not run yet" in body
    assert "<table" not in body
    assert 'href="#' not in body
    assert "%" not in body


def test_the_sentence_of_the_run_says_what_was_read_written_and_whether_it_balances() -> None:
    assert sentence(FULL) == (
        "The run of 1 March 2026, 10:00 UTC read 2 systems (1,200 records, 1,100 of them new or changed), "
        "and wrote 4 of 5 planned corrections (1 refused). "
        "The numbers balance: every record read and every change planned is accounted for."
    )


def test_a_system_that_could_not_be_read_is_named() -> None:
    told = sentence(replace(FULL, run=replace(RUN, systems_read=("crm",), systems_failed=("shop",), state="partial")))
    assert "read 1 of 2 systems" in told
    assert "The shop could not be read completely" in told


def test_a_step_that_broke_off_is_told_with_its_reason() -> None:
    told = sentence(replace(FULL, run=replace(RUN, state="red", stopped=(("push", "crm: the token has expired."),))))
    assert "It broke off at push: crm: the token has expired. The numbers" in told


def test_a_run_that_does_not_balance_says_so() -> None:
    assert "do not balance" in sentence(replace(FULL, run=replace(RUN, balanced=False)))


def test_a_run_that_was_cut_short_says_what_is_left() -> None:
    told = sentence(replace(FULL, run=replace(RUN, balanced=False, planned=8, left=3)))
    assert "3 planned corrections not carried out yet" in told
    assert "do not balance" not in told


def test_a_stopped_plan_says_what_lets_it_pass() -> None:
    plan = PlanOutcome("plan-1", "blocked", True, "2026-03-01T10:01:00Z", None, ("too many",), ())
    page = Tags(render(replace(FULL, plan=plan, run=replace(RUN, blocked=True)))).text
    assert "too many" in page
    assert "omnihub approve plan-1" in page


def test_who_has_most_to_do_comes_first() -> None:
    page = render(FULL)
    assert page.index('href="#fix-crm"') < page.index('href="#fix-shop"')
    assert headline(FULL) == "1 thing to fix, 1 of them urgent"


def test_with_nothing_to_fix_the_page_says_so() -> None:
    assert headline(replace(FULL, systems=(SHOP,))) == "Nothing for anybody to fix today"


def test_masters_do_not_make_the_systems_look_better() -> None:
    master = SystemFacts("erp", "The master", "master", True, "read", 0, 0, 0, 0, 0, ())
    scores = (*FULL.scores, Score("erp", "product", 5, 5, 5, 100, 100, 100, 0, 0))
    assert replace(FULL, systems=(CRM, master), scores=scores).consistency == 27 / 30


def test_the_facts_survive_as_json() -> None:
    told = json.loads(json.dumps(plain(FULL)))
    assert told["totals"]["consistency"] == 27 / 30
    assert told["scores"][0]["expected"] == 28 / 30
    assert told["systems"][1]["fix"][0]["record"] == "Anna Meyer"


def test_what_a_guard_has_stopped_is_said_once_however_many_systems_it_kept_from_being_written() -> None:
    words = "plan-1 is stopped by a guard: people: 90 of 100 records would change; let it pass with …"
    run = replace(RUN, blocked=True, stopped=(("push_crm", words), ("push_shop", words), ("compare", "no space left.")))
    told = sentence(replace(FULL, run=run))
    assert "its plan passes a limit and waits for an approval" in told
    assert words not in told
    assert "It broke off at compare: no space left." in told


def test_a_dry_run_says_what_it_would_write() -> None:
    run = replace(RUN, planned=0, written=0, refused=0, would_write=12)
    assert "wrote nothing, as a dry run; it would write 12 corrections" in sentence(replace(FULL, run=run))


def test_the_plan_is_a_click_away() -> None:
    facts = replace(FULL, plan_page="plan.html", plan_says="5 changes for 3 persons")
    assert [attrs for tag, attrs in Tags(render(facts)).tags if tag == "a" and attrs["href"] == "plan.html"]
    assert "5 changes for 3 persons" in Tags(render(facts)).text
    assert "plan.html" not in render(FULL)


def test_refusals_stand_by_their_cause_with_the_way_out() -> None:
    refusal = Refusal(
        "crm", "crm/people/1", "Anna", "email", "a", "b", "X9", "no", RUN.started_at, "letter-1", "", "eve"
    )
    cause = Cause("invalid", "the system takes no such value", "correct it at the source", 7, 2, ("crm",))
    page = Tags(render(replace(FULL, refusals=(refusal,), refusal_count=7, causes=(cause,)))).text
    for words in ("takes no such value", "correct it at the source", "2 given up", "given up by eve", "letter-1"):
        assert words in page


def test_a_broken_audit_chain_is_red_and_a_whole_one_counted() -> None:
    whole = Tags(render(replace(FULL, audit=AuditFacts(1234, "ab12", "")))).text
    assert "1,234 entries, none of them changed, removed or added later" in whole
    assert "ab12" in whole
    broken = Tags(render(replace(FULL, audit=AuditFacts(8, "ab12", "row 9 is missing")))).text
    assert "row 9 is missing" in broken
    assert "none of them changed" not in broken


def test_service_standards_are_shown_per_channel_and_told_as_data() -> None:
    kept = ServiceScore("crm", "email", "answered_at", "8", 4, 3, 9000)
    facts = replace(FULL, service=(kept, replace(kept, channel="", standard=None, within=None, median_s=1200)))
    page = re.sub(r"<[^>]+>|\s+", " ", render(facts))
    assert re.search(r"e-mail +First answer +8 h +4 +3 +75.0 % +2.5 h", page)
    assert re.search(r"not told +First answer +none +4 +20 min", page)
    assert plain(facts)["service"][0] | {"share": 0.75, "median_s": 9000} == plain(facts)["service"][0]
    assert "Service standards" not in render(FULL)


def test_how_many_tasks_are_beyond_the_limit_of_a_system_is_told_with_their_place() -> None:
    told = replace(CRM, told=100, left=86, place="the open tasks")
    page = " ".join(Tags(render(replace(FULL, systems=(told,)))).text.split())
    assert "In Our CRM itself (the open tasks) people are told of 100 tasks, of 186" in page
    assert "the other 86 are in the CSV" in page
    assert "findings.limit" not in render(FULL)


def test_each_task_shows_the_name_or_the_notice_by_which_it_is_decided() -> None:
    task = Task(
        "crm", "value_differs", "Value differs", "", "high", 3, 1, (), ITEM, "Phone of 3", "0123456789abcdef", "tasks"
    )
    page = " ".join(Tags(render(replace(FULL, today=(task,), tasks=1))).text.split())
    assert "To decide: its notice there, or 0123456789" in page
    assert "up to 3 customers" in page
    untold = Tags(render(replace(FULL, today=(replace(task, notice="", what="crm/people/1"),), tasks=1))).text
    assert "To decide: crm/people/1" in untold
