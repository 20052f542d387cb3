"""The sandbox from the command line: serve it, fill it, let people edit, let it fail, look into it, score the hub."""

from __future__ import annotations

import difflib
import json
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import typer
from rich.console import Console
from rich.table import Table

import connectors
from omnihub.cli.installation import Installation, here
from omnihub.cli.screen import GOOD, heading, number, out, progress, put, say, share, table, tell
from omnihub.cli.standins import fill_if_empty, wait_for_the_last
from omnihub.errors import ConfigError, OmniHubError
from omnihub.model import ALIVE
from omnihub.sandbox import faults
from omnihub.sandbox import reset as worlds
from omnihub.sandbox.derived import Derived, derive
from omnihub.sandbox.faults import FAULTS
from omnihub.sandbox.kit import Standin
from omnihub.sandbox.mutate import mutate as people_edit
from omnihub.sandbox.score import score as scored
from omnihub.sandbox.serving import addresses, folder, serving
from omnihub.sandbox.truth import Truth
from omnihub.store import Store, metadata, schema

# -- serve -----------------------------------------------------------------------------------------------------------


def serve(tied: bool, names: Sequence[str] = ()) -> None:
    """Serve until Ctrl-C; `tied`: until whoever started this process is done. `names`: only these systems."""
    installation = here()
    home = installation.config.home
    if tied:
        with serving(home, installation.standins()):
            wait_for_the_last(home)
        return
    if addresses(home):
        raise OmniHubError("sandbox: the stand-ins are served already; end that process first, or just use them")
    served = _chosen(installation, names)
    fill_if_empty(installation)
    ended = threading.Event()
    for number_ in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number_, lambda *_: ended.set())
    with serving(home, served) as running:
        console = out()
        heading(console, "Stand-ins", "Ctrl-C ends them")
        draw_addresses(console, running.urls)
        _draw_guesses(console, served)
        ended.wait()


def draw_addresses(console: Console, urls: Mapping[str, str]) -> None:
    """Who answers where."""
    drawn = table("system", "address")
    for system, url in sorted(urls.items()):
        drawn.add_row(system, url)
    put(console, drawn)


def _chosen(installation: Installation, names: Sequence[str]) -> dict[str, Standin]:
    """The stand-ins of these systems, all where none is named. A ConfigError says why a system has none."""
    standins = installation.standins()
    for name in names:
        if name in standins:
            continue
        if name in installation.connectors:
            derive(installation.connectors[name])  # raises what is in the way
        raise typer.BadParameter(f"no stand-in {name}; there are: {', '.join(sorted(standins))}")
    return {name: standin for name, standin in standins.items() if not names or name in names}


def _draw_guesses(console: Console, standins: Mapping[str, Standin]) -> None:
    """What derived stand-ins take for granted because no declaration says it."""
    for name, standin in standins.items():
        if isinstance(standin, Derived) and standin.guesses:
            heading(console, name, "derived from its declaration")
            for guess in standin.guesses:
                put(console, f"[dim]guessed:[/] {guess}")


# -- reset -----------------------------------------------------------------------------------------------------------


def reset(customers: int, seed: int, keep_hub: bool, as_json: bool) -> None:
    """A new world; and a hub that knows nothing of the one before."""
    installation = here()
    config = installation.config
    if not keep_hub and config.sandbox:
        with installation.store() as store:
            only_invented(store)
            empty_hub(store)
        say(f"The hub's store {config.store_shown} is empty now.")
    else:
        say("The hub's store still remembers the world before: run `omnihub sync --full`.")
    with progress() as told:
        card = worlds.reset(config.home, installation.standins(), customers, seed, datetime.now(UTC), told)
    tell(card, as_json, lambda console: _draw_card(console, card))


def _draw_card(console: Console, card: Mapping[str, Any]) -> None:
    heading(console, "A new world", f"{card['customers']:,} customers, seed {card['seed']}")
    drawn = table("system", "records", right=("records",))
    for system, count in card["records"].items():
        drawn.add_row(system, number(count))
    put(console, drawn)
    console.print()


def only_invented(store: Store) -> None:
    """Refuse where the store holds anything that did not come from a stand-in: emptying it would lose real work."""
    url = schema.exchanges.c.url
    query = sa.select(schema.exchanges.c.system).where(
        ~url.like("http://127.0.0.1:%"), ~url.like("https://127.0.0.1:%")
    )
    with store.read() as c:
        real = c.execute(query.limit(1)).scalar()
    if real:
        raise ConfigError(
            f"store: it holds records of the real {real}, so it is not emptied; "
            "use another store for the sandbox (OMNIHUB_STORE, or home in omnihub.yaml)"
        )


def empty_hub(store: Store) -> None:
    """Forget everything, and count from the beginning again."""
    with store.write() as c:
        for table_ in metadata.sorted_tables:
            c.execute(sa.delete(table_))
        c.execute(sa.insert(schema.counter).values(name="seq", value=0))


# -- mutate, dump ----------------------------------------------------------------------------------------------------


def mutate(changes: int, seed: int, as_json: bool) -> None:
    """People edit; served stand-ins show it at once, for they read their files on every call."""
    installation = here()
    _asked_for_a_world(installation.config.home)
    standins = {standin.role: standin for standin in installation.standins().values()}
    with closing(_truth(installation.config.home)) as truth:
        done = people_edit(standins, truth, changes, seed)
    facts = {"changes": len(done), "done": done}
    tell(facts, as_json, lambda console: _draw_edits(console, done))


def _draw_edits(console: Console, done: list[dict[str, Any]]) -> None:
    heading(console, f"{len(done)} edits", "what people did in their own systems")
    drawn = table("what", "record", "fields", fold=("fields",))
    for edit in done:
        drawn.add_row(edit["what"], edit["ref"], ", ".join(edit["fields"]))
    put(console, drawn)
    put(console, "[dim]now[/] [bold]omnihub sync[/]")
    console.print()


def dump(system: str | None) -> None:
    """One JSON document: system → stream → id → object. System by system, so that one is in memory at a time."""
    home = here().config.home
    classes = connectors.standins()
    if system and system not in classes:
        raise typer.BadParameter(f"no stand-in {system}; there are: {', '.join(sorted(classes))}")
    _asked_for_a_world(home)
    names = [system] if system else sorted(classes)
    typer.echo("{", nl=False)
    for n, name in enumerate(names):
        standin = classes[name](folder(home) / f"{name}.db")
        with closing(standin.state):
            body = json.dumps(standin.dump(), ensure_ascii=False, sort_keys=True)
        typer.echo(f"{',' if n else ''}\n{json.dumps(name)}: {body}", nl=False)
    typer.echo("\n}")


# -- faults ----------------------------------------------------------------------------------------------------------


def fault(words: Sequence[str], rate: float, systems: Sequence[str], seconds: float | None, clear: bool) -> None:
    """Switch a fault on or off, also while the stand-ins are served; they look on every call."""
    name = _fault(words)
    known = connectors.standins()
    for system in systems:
        if system not in known:
            raise typer.BadParameter(f"no stand-in {system}; there are: {', '.join(sorted(known))}")
    where = folder(here().config.home)
    if clear:
        faults.switch_off(where, name, systems)
    elif name:
        faults.switch_on(where, name, rate, systems, seconds)


def show_faults(as_json: bool) -> None:
    """All faults there are, and where each is on."""
    on = faults.switched_on(folder(here().config.home))
    facts = [
        {
            "fault": name,
            "says": known.says,
            "on": {system: how[name].rate for system, how in sorted(on.items()) if name in how},
        }
        for name, known in FAULTS.items()
    ]
    tell({"faults": facts}, as_json, lambda console: _draw_faults(console, facts))


def _draw_faults(console: Console, facts: Sequence[Mapping[str, Any]]) -> None:
    heading(console, "Faults", "each strikes a share of the calls")
    drawn = table("fault", "what happens", "on", fold=("what happens",))
    for one in facts:
        places = ", ".join(
            f"{'all' if system == faults.EVERYONE else system} {rate:.0%}" for system, rate in one["on"].items()
        )
        drawn.add_row(one["fault"], one["says"], places)
    put(console, drawn)
    put(console, "[bold]omnihub sandbox fault NAME --rate 0.2[/] [dim]switches one on,[/] [bold]--clear[/] [dim]off[/]")
    console.print()


def _fault(words: Sequence[str]) -> str | None:
    """The fault so named: in words or with hyphens, whole."""
    asked = " ".join(words).replace("-", " ").replace("_", " ").strip().lower()
    if asked in ("", "list"):
        return None
    if asked not in FAULTS:
        near = difflib.get_close_matches(asked, FAULTS, n=1)
        raise typer.BadParameter(
            f"no fault {asked!r}; " + (f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(FAULTS)}")
        )
    return asked


# -- truth, score ----------------------------------------------------------------------------------------------------


def truth(as_json: bool) -> None:
    """How many things there really are, and what was planted. Counts only."""
    home = here().config.home
    card = _asked_for_a_world(home)
    with closing(_truth(home)) as known:
        facts = {
            "customers": card["customers"],
            "seed": card["seed"],
            "things": {of: _sizes(known.who(of)) for of in ("account", "contact", "product")},
            "planted": dict(sorted(Counter(error.kind for error in known.errors()).items())),
            "traps": dict(sorted(Counter(kind for kind, *_ in known.traps()).items())),
        }
    tell(facts, as_json, lambda console: _draw_truth(console, facts))


def _sizes(who: Mapping[str, str]) -> dict[str, int]:
    return {"things": len(set(who.values())), "records": len(who)}


def _draw_truth(console: Console, facts: Mapping[str, Any]) -> None:
    heading(console, "The truth", f"{facts['customers']:,} customers, seed {facts['seed']}")
    drawn = table("what", "there are", "records of them", right=("there are", "records of them"))
    for name, sizes in facts["things"].items():
        drawn.add_row(name, number(sizes["things"]), number(sizes["records"]))
    put(console, drawn)
    for title, counts in (("Planted errors", facts["planted"]), ("Traps", facts["traps"])):
        heading(console, title)
        drawn = table("kind", "count", right=("count",))
        for kind, count in counts.items():
            drawn.add_row(kind, number(count))
        put(console, drawn)
    console.print()


def score(as_json: bool) -> None:
    """What the hub believes, held against the truth."""
    installation = here()
    _asked_for_a_world(installation.config.home)
    with installation.store() as store:
        facts = held_against_truth(store, installation.config.home)

    def draw(console: Console) -> None:
        heading(console, "What the hub believes, held against the truth")
        draw_score(console, facts)
        console.print()

    tell(facts, as_json, draw)


def held_against_truth(store: Store, home: Path) -> dict[str, Any]:
    """The score of what the store holds now. A planted error that was found and has since been put right counts as
    found: pushing what is right is no reason to look forgetful."""
    x, g, f = schema.crosswalk, schema.goldens, schema.findings
    with closing(_truth(home)) as known, store.read() as c:
        crosswalk = [(row[0], row[1]) for row in c.execute(sa.select(x.c.ref, x.c.golden_id))]
        golden = c.execute(sa.select(g.c.id, g.c.entity, g.c.fields).where(g.c.members > 0))
        believed = ((row[0], row[1], json.loads(row[2])) for row in golden)
        planted = {(error.kind, error.ref, error.field) for error in known.errors()}
        findings = [
            (row.kind, row.ref, row.field)
            for row in c.execute(sa.select(f.c.kind, f.c.ref, f.c.field, f.c.state))
            if row.state in ALIVE or (row.kind, row.ref, row.field) in planted
        ]
        return scored(crosswalk, believed, findings, known, _asked(c, dict(crosswalk)))


def _asked(c: sa.Connection, golden: Mapping[str, str]) -> Iterator[Sequence[str]]:
    """The refs of each question that waits for a person: two that may be one and are not, and what a guard stopped."""
    p, q = schema.pairs, schema.queue
    for pair in c.execute(sa.select(p.c.a, p.c.b).where(p.c.state == "unsure")):
        if golden.get(pair.a) != golden.get(pair.b):
            yield pair.a, pair.b
    for members in c.execute(sa.select(q.c.members)).scalars():
        yield json.loads(members)


def draw_score(console: Console, facts: Mapping[str, Any]) -> None:
    """Who is who, what is right, what was found."""
    columns = ("precision", "recall", "F1", "B³ F1", "merge precision")
    drawn = table("", *columns, right=columns)
    for name in ("contacts", "accounts"):
        of, whole = facts[name], ("precision", "recall", "f1")
        drawn.add_row(name, *(share(of[x]) for x in whole), share(of["b3"]["f1"]), share(of["merge_precision"]))
    drawn.add_row("findings", *(share(facts["findings"][of]) for of in ("precision", "recall")), "", "", "")
    put(console, drawn)
    if facts["all_traps"]["pairs"]:
        put(console, _draw_traps(facts))
        put(console, f"[dim]a person is asked about {number(facts['questions'])} groups of golden records[/]")
    put(console, f"{GOOD} {facts['fields']['correct_share']:.2%} of the golden values are right")


def _draw_traps(facts: Mapping[str, Any]) -> Table:
    """What is easily got wrong, by kind."""
    columns = ("pairs", "right", "asked", "wrong")
    drawn = table("easily got wrong", *columns, right=columns)
    for kind, n in (facts["traps"] | {"all": facts["all_traps"]}).items():
        drawn.add_row(kind.replace("_", " "), *(number(n[how]) for how in ("pairs", "right", "queued", "wrong")))
    return drawn


def _asked_for_a_world(home: Path) -> dict[str, Any]:
    card = worlds.which(home)
    if card is None:
        raise OmniHubError("sandbox: there is no world yet; make one with `omnihub sandbox reset`")
    return card


def _truth(home: Path) -> Truth:
    return Truth(worlds.truth_file(home))
