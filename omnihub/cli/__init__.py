"""The command line: what a person types, and what each word does.

    syncing      sync, and the demo around it            explaining   explain
    planning     plan, plan show, approve, apply         doctoring    doctor, init
    standing     status, report                          sandboxing   sandbox …
    serving      up (tied: what ends with it)            installation settings, systems, Dagster's home
    connecting   connectors, new-connector, record       conforming   test-connector
    matching     match evaluate                          ruling       rules …
    training     match train, models, use
    judging      judge, judgements, pin, pins, queue, events
    lettering    letters …                               auditing     audit …
    undoing      undo                                   forgetting   forget, export
    standins     stand-ins for as long as a command needs them        screen  tables, bars, JSON

A command is a signature here and a function next door, which is loaded when the command runs: `--help` is quick.
"""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer._click import Context
from typer.core import TyperGroup

from omnihub.errors import OmniHubError, UnsafePlan

OK, ERROR, USAGE, PARTIAL, RED = range(5)
EXIT = {"ok": OK, "partial": PARTIAL, "red": RED}  # how a run went → what the command returns

_EPILOG = (
    "Exit codes: 0 all is well · 1 an error, said in one line · 2 not a command · 3 partial, something could not be "
    "read or written and the next run goes on · 4 red, a guard stopped the plan or the numbers don't balance. "
    "OMNIHUB_DEBUG=1 shows where an error comes from."
)


class _Commands(TyperGroup):
    """Runs a command; what went wrong in a known way is one message and an exit code, no traceback."""

    def invoke(self, ctx: Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # whoever read us has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(OK) from None
        except Exception as error:
            message = _in_words(error)
            if message is None or os.environ.get("OMNIHUB_DEBUG"):
                raise
            typer.secho("error: ", fg=typer.colors.RED, bold=True, err=True, nl=False)
            typer.echo(message, err=True)
            raise typer.Exit(RED if isinstance(error, UnsafePlan) else ERROR) from None


def _in_words(error: Exception) -> str | None:
    """What to tell a person; None for a mistake in the code, which is shown whole."""
    if isinstance(error, OmniHubError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    database = sys.modules.get("sqlalchemy.exc")
    if database and isinstance(error, database.OperationalError):
        return f"store: {str(error.orig).splitlines()[0]}"
    return None


app = typer.Typer(
    cls=_Commands,
    help="One customer, one price, one answer in every channel, and given back to every system.",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
plan_app = typer.Typer(
    help="What would be written: make the plan of what is landed, or show one.", rich_markup_mode="rich"
)
sandbox_app = typer.Typer(
    help="The stand-ins, the world behind them, and its truth.", no_args_is_help=True, rich_markup_mode="rich"
)
match_app = typer.Typer(
    help="Who is who: how good the matching is on a file of your own.", no_args_is_help=True, rich_markup_mode="rich"
)
rules_app = typer.Typer(help="Which value wins, and what would flip by other rules.", rich_markup_mode="rich")
app.add_typer(rules_app, name="rules", rich_help_panel="Look")
app.add_typer(plan_app, name="plan", rich_help_panel="The loop, step by step")
app.add_typer(match_app, name="match", rich_help_panel="Look")
app.add_typer(sandbox_app, name="sandbox", rich_help_panel="Sandbox")
judgements_app = typer.Typer(
    help="What people said of pairs of records: all of it, as a table or a file.", no_args_is_help=True
)
pins_app = typer.Typer(help="Values people set for good: all of them, as a table or a file.", no_args_is_help=True)
letters_app = typer.Typer(
    help="What systems refused: why, the way out, and whether to try it again.", rich_markup_mode="rich"
)
findings_app = typer.Typer(
    help="What the systems disagree about, in groups with one cause; and what is to be done about it.",
    rich_markup_mode="rich",
)
audit_app = typer.Typer(
    help="Who decided, planned and wrote what: a chain that shows if anybody touched it.", no_args_is_help=True
)
app.add_typer(judgements_app, name="judgements", rich_help_panel="Decide")
app.add_typer(letters_app, name="letters", rich_help_panel="Decide")
app.add_typer(findings_app, name="findings", rich_help_panel="Decide")
app.add_typer(audit_app, name="audit", rich_help_panel="Look")
app.add_typer(pins_app, name="pins", rich_help_panel="Decide")

_START, _STEPS, _LOOK, _DECIDE = "Start here", "The loop, step by step", "Look", "Decide"

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")]
Customers = Annotated[int, typer.Option(min=1, help="How many people the world has.")]
Seed = Annotated[int, typer.Option(help="Another number, another world.")]


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"omnihub {version('omnihub')}")
        except PackageNotFoundError:
            typer.echo("omnihub, run from its folder without being installed")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None: ...


# -- start here ------------------------------------------------------------------------------------------------------


@app.command(rich_help_panel=_START)
def demo(customers: Customers = 2000, seed: Seed = 1) -> None:
    """The whole loop once, with invented customers, scored against the truth."""
    from omnihub.cli import syncing

    raise typer.Exit(syncing.demo(customers, seed))


@app.command(rich_help_panel=_START)
def up(
    port: Annotated[int, typer.Option(help="Dagster's port; the next free one where it is taken.")] = 3000,
    report_port: Annotated[int, typer.Option(help="The port of the latest report.")] = 8700,
) -> None:
    """Stand-ins, Dagster and the latest report, until Ctrl-C."""
    from omnihub.cli import serving

    raise typer.Exit(serving.up(port, report_port))


@app.command(rich_help_panel=_START)
def init() -> None:
    """Write a commented omnihub.yaml; one that is there is left alone."""
    from omnihub.cli import doctoring

    doctoring.init()


@app.command(rich_help_panel=_START)
def doctor(as_json: Json = False) -> None:
    """What is wrong with the set-up, and how to put it right."""
    from omnihub.cli import doctoring

    raise typer.Exit(doctoring.doctor(as_json))


# -- the loop --------------------------------------------------------------------------------------------------------


@app.command(rich_help_panel=_STEPS)
def sync(
    systems: Annotated[
        list[str] | None, typer.Argument(metavar="[SYSTEM]…", help="Only these; all by default.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Read everything, not only what is new.")] = False,
    as_json: Json = False,
) -> None:
    """Pull, reconcile, push, report. Every run is visible in Dagster."""
    from omnihub.cli import syncing

    raise typer.Exit(syncing.sync(systems or [], full=full, dry_run=dry_run, as_json=as_json))


@plan_app.callback(invoke_without_command=True)
def plan(ctx: typer.Context, as_json: Json = False) -> None:
    """What would be written: make the plan of what is landed, or show one."""
    if ctx.invoked_subcommand is None:
        from omnihub.cli import planning

        raise typer.Exit(planning.plan(as_json))


@plan_app.command("show")
def plan_show(
    plan_id: Annotated[str | None, typer.Argument(metavar="[PLAN]", help="The latest by default.")] = None,
    system: Annotated[str, typer.Option("--system", help="Only what is planned in this one.")] = "",
    customer: Annotated[
        str,
        typer.Option("--golden", "--ref", metavar="REF|GOLDEN", help="Only this customer: system/stream/id, or an id."),
    ] = "",
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="One page that needs nothing else.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="For a ticket or a merge request.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Changes shown at most; JSON has all.")] = 200,
    as_json: Json = False,
) -> None:
    """A plan told customer by customer: what changes in which system, old → new, and why."""
    from omnihub.cli import planning

    planning.show(plan_id, limit, as_json, system, customer, html, markdown)


@app.command(rich_help_panel=_STEPS)
def approve(
    plan_id: Annotated[str, typer.Argument(metavar="PLAN", help="Its id, or its hash.")],
    because: Annotated[str, typer.Option("--because", help="The reason, kept with the plan.")],
    by: Annotated[str, typer.Option("--by", help="Who approves; your login by default.")] = "",
    lasts: Annotated[str, typer.Option("--for", metavar="24h", help="How long it holds: 30m, 24h, 7d.")] = "24h",
    as_json: Json = False,
) -> None:
    """Let exactly this plan pass that a guard has stopped, for a while. A plan with other changes asks again."""
    from omnihub.cli import planning

    planning.approve(plan_id, because, by, lasts, as_json)


@app.command(rich_help_panel=_STEPS)
def apply(
    plan_id: Annotated[str | None, typer.Argument(metavar="[PLAN]", help="The open plan by default.")] = None,
    as_json: Json = False,
) -> None:
    """Write what a stored plan says, or what is left of it."""
    from omnihub.cli import planning

    raise typer.Exit(planning.apply(plan_id, as_json))


@app.command(rich_help_panel=_STEPS)
def undo(
    what: Annotated[
        str,
        typer.Argument(metavar="RUN", help="A run, a plan, or last; with --lift a record, too.", show_default=False),
    ] = "",
    systems: Annotated[list[str] | None, typer.Option("--system", help="Only in this one; may be said again.")] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option("--field", help="Only this one, with the rest of its address; may be said again."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write it at once; else it is only planned and shown.")] = False,
    because: Annotated[str, typer.Option("--because", help="The reason, kept with what is undone.")] = "",
    by: Annotated[str, typer.Option("--by", help="Who says so; your login by default.")] = "",
    lift: Annotated[
        bool, typer.Option("--lift", help="Instead: what was undone may be written again by the next plan.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take back what a run has written, but for what somebody changed since; an undo can be undone, too."""
    from omnihub.cli import undoing

    if lift:
        undoing.let_go(what, systems or [], fields or [], by, as_json)
    else:
        raise typer.Exit(undoing.undo(what, systems or [], fields or [], because, by, yes, as_json))


@app.command(rich_help_panel=_DECIDE)
def forget(
    what: Annotated[
        str,
        typer.Argument(
            metavar="REF|GOLDEN",
            help="A record of theirs, or a golden contact; or a forgetting, to carry it out or go on with it.",
            show_default=False,
        ),
    ] = "",
    because: Annotated[str, typer.Option("--because", help="The reason; it is kept, so name nobody in it.")] = "",
    by: Annotated[str, typer.Option("--by", help="Who says so; your login by default.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Erase it at once; else it is only shown.")] = False,
    done: Annotated[bool, typer.Option("--done", help="Instead: what was left to people is erased by hand.")] = False,
    systems: Annotated[list[str] | None, typer.Option("--system", help="With --done: only in this one.")] = None,
    lift: Annotated[
        bool, typer.Option("--lift", help="Instead: they come back on their own; a record or an e-mail will do.")
    ] = False,
    listed: Annotated[
        bool, typer.Option("--list", help="Instead: who was forgotten, and who still sends them.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Erase a person in every system and in the hub, for good; shown first. Nothing brings them back."""
    from omnihub.cli import forgetting

    if listed:
        forgetting.listed(as_json)
    elif done:
        raise typer.Exit(forgetting.done(what, systems or [], by, as_json))
    elif lift:
        raise typer.Exit(forgetting.lift(what, because, by, as_json))
    else:
        raise typer.Exit(forgetting.forget(what, because, by, yes, as_json))


@app.command(rich_help_panel=_LOOK)
def export(
    what: Annotated[str, typer.Argument(metavar="REF|GOLDEN", help="A record of theirs, or a golden contact.")],
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Into this file: JSON; for people, if it ends with .md.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Everything the hub holds on a person: each value with where it is from, what was written where, who decided."""
    from omnihub.cli import forgetting

    forgetting.give(what, to, as_json)


# -- look ------------------------------------------------------------------------------------------------------------


@app.command(rich_help_panel=_LOOK)
def status(as_json: Json = False) -> None:
    """How far each stream is read, the last runs, the open plan, the open findings."""
    from omnihub.cli import standing

    standing.status(as_json)


@app.command(rich_help_panel=_LOOK)
def explain(
    what: Annotated[str, typer.Argument(metavar="REF|GOLDEN", help="system/stream/id, or a golden id.")],
    field: Annotated[
        str | None,
        typer.Argument(metavar="[FIELD|REF|GOLDEN]", help="Only this field; or why these two are one, or are not."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Which value won, by which rule, from where to the byte, and who lost; or why two records are one, or are not."""
    from omnihub.cli import explaining

    explaining.explain(what, field, as_json)


@app.command(rich_help_panel=_LOOK)
def report(
    run_id: Annotated[str | None, typer.Option("--run", help="The run to report on; the last by default.")] = None,
    system: Annotated[str, typer.Option("--system", help="Only what is about this system.")] = "",
    since: Annotated[str, typer.Option("--since", metavar="RUN", help="Only what is new since this run.")] = "",
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FOLDER", help="Where the files go.", file_okay=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the report as HTML, XLSX, CSV, Parquet and JSON, and say where it is."""
    from omnihub.cli import standing

    standing.report(run_id, system, since, to, as_json)


class Matched(StrEnum):
    """What can be matched."""

    contact = "contact"
    account = "account"
    product = "product"


@match_app.command("evaluate")
def match_evaluate(
    entity: Annotated[Matched, typer.Option("--entity", help="What a record is about.")],
    data: Annotated[Path, typer.Option("--data", metavar="FILE", help="Parquet, CSV or JSON lines.")],
    map_: Annotated[
        Path,
        typer.Option("--map", metavar="MAP.yaml", help="Which column is which field: `fields: {last_name: surname}`."),
    ],
    truth: Annotated[
        str,
        typer.Option(
            "--truth",
            metavar="COLUMN|PAIRS_FILE",
            help="The column with the true customer's id, or a file of true pairs (id_a, id_b).",
        ),
    ],
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="FILE", help="A second file: link the two instead of finding doubles."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Match any file by the hub's defaults and hold the result against the truth."""
    from omnihub.cli import matching

    matching.evaluate(entity.value, data, against, map_, truth, as_json)


@match_app.command("train")
def match_train(
    entity: Annotated[Matched, typer.Option("--entity", help="What a record is about.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be learnt and keep nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Measure on the hub's own records how much each comparison says; the next run weighs every pair with it."""
    from omnihub.cli import training

    training.train(entity.value, not dry_run, as_json)


@match_app.command("models")
def match_models(as_json: Json = False) -> None:
    """Every model that ever weighed a pair, and which is in force."""
    from omnihub.cli import training

    training.models(as_json)


@match_app.command("use")
def match_use(
    version: Annotated[str, typer.Argument(help="The model's number, as `omnihub match models` has it, or `default`.")],
    entity: Annotated[Matched, typer.Option("--entity", help="What a record is about.")],
    as_json: Json = False,
) -> None:
    """Put an earlier model in force again."""
    from omnihub.cli import training

    training.use(entity.value, version, as_json)


@rules_app.callback(invoke_without_command=True)
def rules(ctx: typer.Context, as_json: Json = False) -> None:
    """Which value wins: the rule of each field and how far each system is believed; what would flip by others."""
    if ctx.invoked_subcommand is None:
        from omnihub.cli import ruling

        ruling.show(as_json)


@rules_app.command("preview")
def rules_preview(
    changed: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="contact.phone=recent, trust.hubspot=0.6; may be said again."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--rules", metavar="FILE.yaml", exists=True, dir_okay=False, help="The table of this file."),
    ] = None,
    most: Annotated[int, typer.Option("--examples", min=0, help="Shown of each field at most; 0 for all.")] = 5,
    as_json: Json = False,
) -> None:
    """What would flip in the golden records if the rules were these. Nothing is written."""
    from omnihub.cli import ruling

    ruling.try_out(changed or [], file, most, as_json)


# -- decide ----------------------------------------------------------------------------------------------------------

Because = Annotated[str, typer.Option("--because", help="The reason, for whoever reads it in a year.")]
Until = Annotated[str, typer.Option("--until", metavar="DATE", help="The last day it holds; for good by default.")]
By = Annotated[str, typer.Option("--by", help="Who says so; your login by default.")]
Of = Annotated[str, typer.Option("--entity", metavar="account|contact|product", help="Only these; all by default.")]
Csv = Annotated[Path, typer.Argument(metavar="FILE.csv")]


@app.command(rich_help_panel=_DECIDE)
def judge(
    a: Annotated[str, typer.Argument(metavar="A", help="system/stream/id, or a golden id: then all its records.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other one.")],
    verdict: Annotated[str, typer.Argument(metavar="same|different|unsure", show_default=False)] = "",
    because: Because = "",
    until: Until = "",
    by: By = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take back what was said, as if it never had been.")] = False,
    as_json: Json = False,
) -> None:
    """Say that two records are the same, or are not. The hub obeys, whatever it thinks itself."""
    if undo == bool(verdict):
        raise typer.BadParameter("say same, different or unsure, or --undo; one of them")
    from omnihub.cli import judging

    if undo:
        judging.unjudge(a, b, by, as_json)
    else:
        judging.judge(a, b, verdict, because, until, by, as_json)


@judgements_app.command("list")
def judgements_list(as_json: Json = False) -> None:
    """All that hold, the latest first."""
    from omnihub.cli import judging

    judging.list_judgements(as_json)


@judgements_app.command("import")
def judgements_import(file: Csv, by: By = "", as_json: Json = False) -> None:
    """Read a file with the columns a, b, verdict, because, and perhaps by, until. All of it is kept, or nothing."""
    from omnihub.cli import judging

    judging.import_judgements(file, by, as_json)


@judgements_app.command("export")
def judgements_export(file: Csv, as_json: Json = False) -> None:
    """Write all that hold, so that `import` can read them."""
    from omnihub.cli import judging

    judging.export_judgements(file, as_json)


@app.command(rich_help_panel=_DECIDE)
def pin(
    golden: Annotated[str, typer.Argument(metavar="GOLDEN", help="A golden id, or the ref of one of its records.")],
    field: Annotated[str, typer.Argument(metavar="FIELD", help="As `omnihub explain` names it.")],
    value: Annotated[
        str | None, typer.Argument(metavar="VALUE", help='As it is to be; "" for none.', show_default=False)
    ] = None,
    because: Because = "",
    until: Until = "",
    by: By = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take the pin away, as if it had never been.")] = False,
    as_json: Json = False,
) -> None:
    """Say what is true of a customer or product, whatever the systems say."""
    if undo == (value is not None):
        raise typer.BadParameter("say a value, or --undo; one of them")
    from omnihub.cli import judging

    if value is None:
        judging.unpin(golden, field, by, as_json)
    else:
        judging.pin(golden, field, value, because, until, by, as_json)


@pins_app.command("list")
def pins_list(as_json: Json = False) -> None:
    """All that hold, the latest first."""
    from omnihub.cli import judging

    judging.list_pins(as_json)


@pins_app.command("import")
def pins_import(file: Csv, by: By = "", as_json: Json = False) -> None:
    """Read a file with the columns golden, field, value, because, and perhaps by, until. All is kept, or nothing."""
    from omnihub.cli import judging

    judging.import_pins(file, by, as_json)


@pins_app.command("export")
def pins_export(file: Csv, as_json: Json = False) -> None:
    """Write all that hold, so that `import` can read them."""
    from omnihub.cli import judging

    judging.export_pins(file, as_json)


@app.command(rich_help_panel=_DECIDE)
def queue(entity: Of = "", as_json: Json = False) -> None:
    """What waits for a person: why, and the command that settles it."""
    from omnihub.cli import judging

    judging.queue(entity, as_json)


@app.command(rich_help_panel=_DECIDE)
def events(
    since: Annotated[int, typer.Option("--since", metavar="SEQ", help="Only what came after this number.")] = 0,
    entity: Of = "",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many; all by default.")] = None,
    as_json: Json = False,
) -> None:
    """What became of golden ids: born, merged, split, moved, revived; for whoever keeps a copy of them."""
    from omnihub.cli import judging

    judging.events(since, entity, limit, as_json)


OfSystem = Annotated[str, typer.Option("--system", help="Only of this system; all by default.")]
LetterName = Annotated[
    str, typer.Argument(metavar="LETTER", help="Its id or the beginning of it, or the record's ref.")
]


@letters_app.callback(invoke_without_command=True)
def letters(ctx: typer.Context, system: OfSystem = "", as_json: Json = False) -> None:
    """What systems refused: why, the way out, and whether to try it again."""
    if ctx.invoked_subcommand is None:
        from omnihub.cli import lettering

        lettering.show_all(system, as_json)


@letters_app.command("list")
def letters_list(system: OfSystem = "", as_json: Json = False) -> None:
    """All dead letters, the latest first, with what each kind of refusal means and the way out."""
    from omnihub.cli import lettering

    lettering.show_all(system, as_json)


@letters_app.command("show")
def letters_show(letter: LetterName, as_json: Json = False) -> None:
    """One letter whole: every field old → new, the system's answer, what it means and what to do."""
    from omnihub.cli import lettering

    lettering.show(letter, as_json)


@letters_app.command("replay")
def letters_replay(
    letter: Annotated[str, typer.Argument(metavar="[LETTER]", help="Its id, or the record's ref.")] = "",
    every: Annotated[bool, typer.Option("--all", help="All that wait; what was given up only by its id.")] = False,
    system: OfSystem = "",
    plan_only: Annotated[
        bool, typer.Option("--plan", help="Only make the plan; `omnihub apply PLAN` writes it.")
    ] = False,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Try again: a plan of just these changes as they should be now, through the same guard and push."""
    if every == bool(letter):
        raise typer.BadParameter("name one letter, or say --all; one of them")
    from omnihub.cli import lettering

    raise typer.Exit(lettering.replay(letter, every, system, plan_only, by, as_json))


@letters_app.command("give-up")
def letters_give_up(letter: LetterName, because: Because = "", by: By = "", as_json: Json = False) -> None:
    """Never try this value again. Another value of the golden record is another change, and is planned."""
    from omnihub.cli import lettering

    lettering.give_up(letter, because, by, as_json)


@letters_app.command("new-key")
def letters_new_key() -> None:
    """Print a key for OMNIHUB_LETTERS_KEY: with it, dead letters are sealed at rest."""
    from omnihub.cli import lettering

    lettering.new_key()


# -- findings --------------------------------------------------------------------------------------------------------

FindingName = Annotated[
    str, typer.Argument(metavar="ID|GROUP", help="A finding, a group of them, or a record: system/stream/id.")
]


@findings_app.callback(invoke_without_command=True)
def findings(
    ctx: typer.Context,
    system: OfSystem = "",
    kind: Annotated[str, typer.Option("--kind", help="Only of this kind, as price_differs.")] = "",
    owner: Annotated[str, typer.Option("--owner", help="Only what this one is to see to.")] = "",
    state: Annotated[
        str, typer.Option("--state", help="open, assigned, ignored or resolved; what stands by default.")
    ] = "",
    to_fix: Annotated[
        bool, typer.Option("--to-fix", help="Only what people have to see to: without what the hub goes on with.")
    ] = False,
    as_json: Json = False,
) -> None:
    """What the systems disagree about, in groups with one cause; and what is to be done about it."""
    if ctx.invoked_subcommand is None:
        from omnihub.cli import finding

        finding.show_all(system, kind, owner, state, to_fix, as_json)


@findings_app.command("show")
def findings_show(what: FindingName, as_json: Json = False) -> None:
    """Each finding of a group or a record, with what was decided about it."""
    from omnihub.cli import finding

    finding.show(what, as_json)


@findings_app.command("ignore")
def findings_ignore(
    what: FindingName,
    because: Because = "",
    until: Annotated[
        str, typer.Option("--until", metavar="DATE|changed", help="A day, included; or until its evidence changes.")
    ] = "changed",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Show it to nobody, in no report and no system, for a while. It is still compared, and corrected where planned."""
    from omnihub.cli import finding

    finding.ignore(what, because, until, by, as_json)


@findings_app.command("assign")
def findings_assign(
    what: FindingName,
    to: Annotated[str, typer.Argument(metavar="TO", help="Who sees to it: a name, a team, an address.")],
    because: Because = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Give it to somebody, whose it stays until its cause is gone."""
    from omnihub.cli import finding

    finding.assign(what, to, because, by, as_json)


@findings_app.command("reopen")
def findings_reopen(what: FindingName, because: Because = "", by: By = "", as_json: Json = False) -> None:
    """Take back that it is ignored, or assigned."""
    from omnihub.cli import finding

    finding.reopen(what, because, by, as_json)


# -- audit -----------------------------------------------------------------------------------------------------------


@audit_app.command("verify")
def audit_verify(
    head: Annotated[
        str, typer.Option("--head", metavar="HASH", help="A hash `verify` said earlier: it must still be there.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Walk the chain; name the first row that was changed, removed or moved, and exit with 1."""
    from omnihub.cli import auditing

    raise typer.Exit(auditing.verify(head, as_json))


@audit_app.command("list")
def audit_list(
    since: Annotated[
        str, typer.Option("--since", metavar="DATE|SEQ", help="A day or moment (UTC), or a row's number.")
    ] = "",
    what: Annotated[str, typer.Option("--what", help="Only these: judged, pinned, planned, approved, written …")] = "",
    limit: Annotated[int, typer.Option(min=1, help="The last so many on the screen; JSON has all.")] = 200,
    as_json: Json = False,
) -> None:
    """Who did what and when, in order. Values are not in it, only whose and which field."""
    from omnihub.cli import auditing

    auditing.entries(since, what, limit, as_json)


# -- connectors ------------------------------------------------------------------------------------------------------


@app.command("connectors", rich_help_panel="Connectors")
def connectors_(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="Only these; all by default.")] = None,
    as_json: Json = False,
) -> None:
    """What each connector can read, write and see, how often it calls, and what it is blind to."""
    from omnihub.cli import connecting

    connecting.show(names or [], as_json)


@app.command("new-connector", rich_help_panel="Connectors")
def new_connector(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the system is to be called.")],
    openapi: Annotated[
        str, typer.Option("--openapi", metavar="FILE_OR_URL", help="Draft it from this OpenAPI 3 document.")
    ] = "",
    folder: Annotated[
        Path | None, typer.Option("--to", help="Another folder than that of the connectors.", show_default=False)
    ] = None,
) -> None:
    """Draft connectors/NAME.py: what a document says, each guess marked; without one, a skeleton."""
    from omnihub.cli import connecting

    connecting.new(name, openapi, folder)


@app.command("record", rich_help_panel="Connectors")
def record(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The system to read.")],
    pages: Annotated[int, typer.Option(min=1, help="How many pages of each stream.")] = 2,
    streams: Annotated[list[str] | None, typer.Option("--stream", help="Only this one; may be said again.")] = None,
    folder: Annotated[Path, typer.Option("--to", help="Where the files go.")] = Path("tests/recordings"),
) -> None:
    """Read a few pages of the real system and keep what it said, without anybody's data, to be replayed in tests."""
    from omnihub.cli import connecting

    connecting.keep(name, pages, streams or [], folder)


@app.command("test-connector", rich_help_panel="Connectors")
def try_connector(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every connector there is.")] = False,
    live: Annotated[
        bool, typer.Option("--live", help="On the real system instead of its stand-in: a few pages, only reading.")
    ] = False,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="The rules on broken connectors: each must be caught by its own.")
    ] = False,
    rules: Annotated[list[str] | None, typer.Option("--rule", help="Only this one; may be said again.")] = None,
    as_json: Json = False,
) -> None:
    """Try a connector on everything the hub asks of it, over real HTTP, with everything that goes wrong out there."""
    from omnihub.cli import conforming

    raise typer.Exit(conforming.test(names or [], every, live, mutants, rules or [], as_json))


# -- sandbox ---------------------------------------------------------------------------------------------------------


@sandbox_app.command("serve")
def sandbox_serve(
    systems: Annotated[
        list[str] | None, typer.Argument(metavar="[SYSTEM]…", help="Only these; all by default.")
    ] = None,
    tied: Annotated[bool, typer.Option("--tied", hidden=True)] = False,
) -> None:
    """Serve the stand-ins until Ctrl-C; a declared system without one gets it from its declaration."""
    from omnihub.cli import sandboxing

    sandboxing.serve(tied, systems or [])


@sandbox_app.command("reset")
def sandbox_reset(
    customers: Customers = 2000,
    seed: Seed = 1,
    keep_hub: Annotated[
        bool, typer.Option("--keep-hub", help="Leave the hub's store as it is: it remembers the world before.")
    ] = False,
    as_json: Json = False,
) -> None:
    """A new world in all stand-ins, and an empty hub."""
    from omnihub.cli import sandboxing

    sandboxing.reset(customers, seed, keep_hub, as_json)


@sandbox_app.command("mutate")
def sandbox_mutate(
    changes: Annotated[int, typer.Option(min=0, help="How many edits.")] = 50,
    seed: Seed = 1,
    as_json: Json = False,
) -> None:
    """People edit records in several systems; the truth follows."""
    from omnihub.cli import sandboxing

    sandboxing.mutate(changes, seed, as_json)


@sandbox_app.command("fault")
def sandbox_fault(
    words: Annotated[list[str] | None, typer.Argument(metavar="[NAME]", help="None, or list: show them all.")] = None,
    rate: Annotated[float, typer.Option(min=0, max=1, help="The share of calls it strikes.")] = 0.2,
    system: Annotated[list[str] | None, typer.Option("--system", help="Only this stand-in; may be said again.")] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="How long or how far, where that means anything.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Switch it off; without a name, all.")] = False,
    as_json: Json = False,
) -> None:
    """Let the stand-ins fail by name, also while they are served: 429-storm, hang, half-a-batch-lost …"""
    from omnihub.cli import sandboxing

    sandboxing.fault(words or [], rate, system or [], seconds, clear)
    sandboxing.show_faults(as_json)


@sandbox_app.command("dump")
def sandbox_dump(
    system: Annotated[str | None, typer.Argument(metavar="[SYSTEM]", help="Only this one.")] = None,
) -> None:
    """Every system's whole state as JSON, served or not."""
    from omnihub.cli import sandboxing

    sandboxing.dump(system)


@sandbox_app.command("score")
def sandbox_score(as_json: Json = False) -> None:
    """How well the hub knows its customers, held against the truth."""
    from omnihub.cli import sandboxing

    sandboxing.score(as_json)


@sandbox_app.command("truth")
def sandbox_truth(as_json: Json = False) -> None:
    """How many there really are, and what was planted."""
    from omnihub.cli import sandboxing

    sandboxing.truth(as_json)
