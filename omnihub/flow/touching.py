"""What a change touches: the links of changed records are noted by their target, and whoever they lead to is looked up.

a record that came or went      ─▶ who links to it
an order, deal or cart          ─▶ its lines
a customer's group or account   ─▶ its orders, deals and carts ─▶ their lines; its tickets; offers made to it by name
an account, or its domain       ─▶ those whose mailbox is at its domain ─▶ theirs as well
a master's product, price or promotion ─▶ all that is said about its SKU, its other prices too
a master's promotion            ─▶ the offers of its code or name; the first one or the last ─▶ all offers
a channel's product             ─▶ who else offers its SKU, and the master's product that it may be
a day that has passed           ─▶ all that is said about the SKUs whose prices begin or end, and the offers that do
a master's standard             ─▶ all tickets; it changes a few times a year
an hour that has passed         ─▶ the tickets not done that came due in it, found by when they were opened
a stream read for the first time, or empty now ─▶ who links into it
an order, a line, a ticket, stock ─▶ all that speaks of the order (`ordering`)
a channel the master names, or one read as a whole for the first time ─▶ what the master says is sold somewhere
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from omnihub.compare import KNOWN_BY, OFFERED, SELLERS, named, news, service, sold_as, spoken_of
from omnihub.compare.customers import BELIEVED, GOLDENS, GROUPS_OF, accounts_of, groups_of
from omnihub.compare.links import AT, LINKS, NOT_REFS, PROMOTED, SPOKEN, WAITS, waiting
from omnihub.flow.hub import Hub
from omnihub.flow.ordering import Stirred, touched_orders
from omnihub.flow.selling import sellers
from omnihub.model import ALIVE, Entity
from omnihub.store import bulk, schema

FACT = "compare"  # the fact that keeps the basis
MASTERED = (Entity.PRODUCT, Entity.PRICE, Entity.PROMOTION)  # what a master is asked about
SAID = (Entity.PRODUCT, Entity.LINE, Entity.PROMOTION, Entity.TICKET, Entity.PRICE)  # what is held against it
DATED = (Entity.PRICE.value, Entity.PROMOTION.value)  # what begins and ends
OCCASIONS = (Entity.ORDER, Entity.DEAL, Entity.CART)
TOLD = (Entity.PROMOTION, Entity.TICKET)  # what names its customer itself
PROMISE = '"promised_price":'  # in the fields of a ticket with a price; the others say nothing about what is sold
SOLD_IN = '"sold_in":'  # in the fields of what is sold in channels the master names
OF_CUSTOMERS = ("account", "contact", "contacts")  # the fields that name a customer
CUSTOMERS = (Entity.ACCOUNT.value, Entity.CONTACT.value)

Each = Callable[[pa.Table, Sequence[str]], None]


@dataclass(frozen=True)
class Basis:
    """What things were compared by: the settings, the day, the time, the streams (`system/stream`) with a living
    record, and who sells (see `selling`)."""

    settings: str = ""
    day: str = ""
    at: str = ""
    streams: tuple[str, ...] = ()
    sellers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, c: sa.Connection) -> Basis:
        """As of the last compare; an empty one before the first."""
        f = schema.facts
        found = c.execute(sa.select(f.c.value).where(f.c.key == FACT)).scalar()
        told = json.loads(found) if found else {}
        sellers = tuple((word, system) for word, system in told.get("sellers", ()))
        return cls(**told | {"streams": tuple(told.get("streams", ())), "sellers": sellers})

    def keep(self, c: sa.Connection) -> None:
        """For the next compare."""
        bulk.upsert(c, schema.facts, ("key", "value"), [(FACT, json.dumps(asdict(self)))])


@dataclass
class Noted:
    """What there is to know of the records that changed."""

    everything: bool
    refs: Sequence[str] = ()
    alive: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    occasions: list[str] = field(default_factory=list)
    skus: set[str] = field(default_factory=set)  # targets, of what masters say or said
    promised: set[str] = field(default_factory=set)  # targets, of the promotions that masters have or had
    offered: set[str] = field(
        default_factory=set
    )  # targets, of what channels offer or offered, by whatever it is known
    filled: set[str] = field(default_factory=set)  # streams of the living
    standards: bool = False  # whether a master's standard is another
    drained: set[tuple[str, str, str]] = field(default_factory=set)  # entity, system and stream of the deleted
    old: list[pa.Table] = field(default_factory=list)  # links that are no more
    stirred: Stirred = field(default_factory=Stirred)  # what orders on their way are judged by

    def forget(self, c: sa.Connection) -> None:
        """Take out the links that are no more. Not sooner than all they lead to is compared."""
        links = schema.links
        these = sa.and_(*(links.c[n] == sa.bindparam(f"old_{n}") for n in LINKS.names))
        for some in self.old:
            gone = some.rename_columns([f"old_{n}" for n in LINKS.names]).to_pylist()
            if gone:
                c.execute(sa.delete(links).where(these), gone)


# -- noting ----------------------------------------------------------------------------------------------------------


def note_links(hub: Hub, mark: int, size: int, each: Each) -> Noted:
    """Note what the records changed since `mark` speak of. each: told the rows of the living among some of them."""
    t, g = schema.refined, schema.goldens
    noted = Noted(everything=not mark)
    with hub.store.read() as c:
        noted.refs = c.execute(sa.select(t.c.ref).where(t.c.seq > mark).order_by(t.c.seq)).scalars().all()
        customers = sa.select(g.c.id).where(g.c.entity.in_(CUSTOMERS), g.c.seq > mark)
        ids = c.execute(customers.order_by(g.c.seq)).scalars().all()
    for done, some in enumerate(bulk.chunks(noted.refs, size)):
        hub.progress("compare what changed", done * size, len(noted.refs))
        with hub.store.read() as c:
            rows = bulk.table_in(c, _rows().add_columns(t.c.deleted), t.c.ref, some)
        living = rows.filter(pc.invert(rows.column("deleted"))).drop_columns("deleted")
        fresh, old = note(hub, living, some)
        _remember(hub, noted, rows, fresh, old)
        each(living, some)
    for some in bulk.chunks(ids, size):
        with hub.store.read() as c:
            query = sa.select(g.c.id.label("ref"), g.c.entity, g.c.fields)
            believed = bulk.table_in(c, query.where(g.c.members > 0), g.c.id, some)
        noted.old.append(note(hub, believed, some)[1])
    return noted


def _rows() -> sa.Select[Any]:
    t = schema.refined
    return sa.select(t.c.ref, t.c.entity, t.c.system, t.c.stream, t.c.fields, t.c.problems)


def note(hub: Hub, rows: pa.Table, refs: Sequence[str]) -> tuple[pa.Table, pa.Table]:
    """Keep what these records speak of and did not before. Returns that, and what they no longer speak of."""
    links = schema.links
    now = spoken_of(rows.select(SPOKEN.names))
    with hub.store.read() as c:
        before = bulk.table_in(c, sa.select(links.c.ref, links.c.field, links.c.target), links.c.ref, refs)
    fresh, old = news(now, before)
    if fresh.num_rows:
        with hub.store.write() as c, bulk.undisturbed:
            cells = (fresh.column(n).to_pylist() for n in LINKS.names)
            bulk.upsert(c, links, LINKS.names, list(zip(*cells, strict=True)))
    return fresh, old


def _remember(hub: Hub, noted: Noted, rows: pa.Table, fresh: pa.Table, old: pa.Table) -> None:
    if old.num_rows:
        noted.old.append(old)
    if noted.everything:  # then nobody asks what it touches
        return
    mastered, offered = [], []
    columns = (rows.column(n).to_pylist() for n in ("ref", "entity", "system", "stream", "deleted"))
    for ref, entity, system, stream, deleted in zip(*columns, strict=True):
        (noted.deleted if deleted else noted.alive).append(ref)
        if deleted:
            noted.drained.add((entity, system, stream))
        else:
            noted.filled.add(f"{system}/{stream}")
        noted.stirred.note(ref, entity)
        if entity in OCCASIONS:
            noted.occasions.append(ref)
        if entity in MASTERED and system in hub.rules.masters:
            mastered.append(ref)
        elif entity == Entity.PRODUCT:
            offered.append(ref)
        noted.standards |= entity == Entity.STANDARD and system in hub.rules.masters
    with hub.store.read() as c:
        noted.skus |= _about(c, mastered, "sku")
        noted.promised |= _about(c, mastered, PROMOTED)
        noted.offered |= _about(c, offered, *KNOWN_BY)


def _about(c: sa.Connection, refs: Sequence[str], *names: str) -> set[str]:
    """What these records say, or said, they are about: what they no longer speak of is not yet forgotten."""
    links = schema.links
    query = sa.select(links.c.target).where(links.c.field.in_(names))
    return {r.target for r in bulk.where_in(c, query, links.c.ref, refs)}


def basis_now(hub: Hub, before: Basis, noted: Noted, settings: str, day: str, at: str) -> Basis:
    """What is compared by from now on."""
    t = schema.refined
    with hub.store.read() as c:
        if noted.everything:
            there = sa.select(t.c.system, t.c.stream).where(~t.c.deleted).distinct()
            streams = {f"{r.system}/{r.stream}" for r in c.execute(there)}
            return Basis(settings, day, at, tuple(sorted(streams)), sellers(c, hub))
        streams = {*before.streams, *noted.filled}
        for entity, system, stream in noted.drained:
            if not c.execute(_left(hub, entity, system, stream)).first():
                streams.discard(f"{system}/{stream}")
        return Basis(settings, day, at, tuple(sorted(streams)), sellers(c, hub))


def _left(hub: Hub, entity: str, system: str, stream: str) -> sa.Select[Any]:
    """A living record of the stream. Refs of one stream stand together in SQLite's index; PostgreSQL may sort them as
    some language does."""
    t = schema.refined
    query = sa.select(t.c.ref).where(t.c.system == system, t.c.stream == stream, ~t.c.deleted).limit(1)
    if hub.store.sqlite:
        return query.where(t.c.ref > f"{system}/{stream}/", t.c.ref < f"{system}/{stream}0")  # 0 comes after /
    return query.where(t.c.entity == entity)


# -- what it touches -------------------------------------------------------------------------------------------------


def touched_context(hub: Hub, mark: int, noted: Noted, before: Basis, basis: Basis) -> Sequence[str]:
    """The records whose links, products and prices are to be looked at again."""
    if noted.everything:
        return noted.refs
    with hub.store.read() as c:
        listed, offers = _turned(c, hub.rules.masters, before.day, basis.day)
        skus = noted.skus | _about(c, listed, "sku")
        promised = noted.promised | _about(c, listed, PROMOTED)
        occasions = {*noted.occasions, *_speaking_of(c, _customers(c, mark), *OF_CUSTOMERS)}
        found = {*noted.refs, *_missing(c, noted.alive), *_speaking_of(c, noted.deleted), *offers}
        found |= occasions | _speaking_of(c, occasions, "of")  # an offer to a customer is an occasion itself
        found |= _speaking_of(c, promised, PROMOTED)
        found |= _speaking_of(c, [sold_as(entity, sku) for entity in SAID for sku in skus], "sku")
        found |= _speaking_of(c, noted.offered, *KNOWN_BY)
        found |= touched_orders(c, noted.stirred, before.day, basis.day)
        if before.sellers != basis.sellers:
            found |= _sold_somewhere(c, hub.rules.masters)
        found |= _tickets(c, hub.rules.masters) if noted.standards else _come_due(c, hub.rules.masters, before, basis)
        if promising(hub, before) != promising(hub, basis):
            offered = sa.select(schema.refined.c.ref).where(schema.refined.c.entity == Entity.PROMOTION.value)
            found |= set(c.execute(offered.where(~schema.refined.c.deleted)).scalars())
        for stream in {*before.streams} ^ {*basis.streams}:
            found |= _speaking_of_any_in(c, stream)
    return sorted(found)


def promising(hub: Hub, basis: Basis) -> bool:
    """Whether a master has any promotion: else no offer can be told to be none of them."""
    kept = {
        f"{name}/{stream.name}"
        for name in hub.rules.masters & hub.connectors.keys()
        for stream in hub.connectors[name].streams
        if stream.entity is Entity.PROMOTION
    }
    return not kept.isdisjoint(basis.streams)


def _speaking_of(c: sa.Connection, targets: Iterable[str], *names: str) -> set[str]:
    """Who speaks of these, in fields of these names (none: any)."""
    links = schema.links
    query = sa.select(links.c.ref).where(links.c.field.in_(names)) if names else sa.select(links.c.ref)
    return {r.ref for r in bulk.where_in(c, query, links.c.target, targets)}


def _speaking_of_any_in(c: sa.Connection, stream: str) -> set[str]:
    """Rare enough to search for."""
    links = schema.links
    inside = links.c.target.startswith(f"{stream}/", autoescape=True)
    return set(c.execute(sa.select(links.c.ref).where(inside)).scalars())


def _sold_somewhere(c: sa.Connection, masters: Iterable[str]) -> set[str]:
    """The masters' products that are sold in channels they name. Reads them all: channels are seldom others."""
    t = schema.refined
    products = sa.select(t.c.ref).where(t.c.entity == Entity.PRODUCT.value, t.c.system.in_(sorted(masters)))
    return set(c.execute(products.where(t.c.fields.contains(SOLD_IN), ~t.c.deleted)).scalars())


def _missing(c: sa.Connection, refs: Iterable[str]) -> set[str]:
    """Who is known to link to these in vain."""
    f = schema.findings
    query = sa.select(f.c.ref).where(f.c.state.in_(ALIVE), f.c.kind == "orphan_link")
    return {r.ref for r in bulk.where_in(c, query, f.c.theirs, refs)}


def _customers(c: sa.Connection, mark: int) -> set[str]:
    """Refs of accounts and contacts that may be in another customer group now."""
    x, g = schema.crosswalk, schema.goldens

    def changed(table: sa.Table, wanted: sa.Column[str], entity: Entity) -> set[str]:
        query = sa.select(wanted).where(table.c.entity == entity.value, table.c.seq > mark)
        return set(c.execute(query).scalars())

    accounts = changed(g, g.c.id, Entity.ACCOUNT)
    near = _speaking_of(c, _about(c, sorted(accounts), AT), AT)
    ids = accounts | changed(g, g.c.id, Entity.CONTACT) | _speaking_of(c, accounts, "account") | near
    refs = {r.ref for r in bulk.where_in(c, sa.select(x.c.ref), x.c.golden_id, ids)}
    return refs | changed(x, x.c.ref, Entity.ACCOUNT) | changed(x, x.c.ref, Entity.CONTACT)


def _turned(c: sa.Connection, masters: Iterable[str], before: str, day: str) -> tuple[list[str], list[str]]:
    """(prices and promotions of masters, those of channels) that began or ended between these days. Reads them all,
    once a day."""
    if before == day:
        return [], []
    first, last = sorted((before, day))
    dawn, dusk = _days_from(first, -1), _days_from(last, 1)  # between them lies every moment of these days
    t, ours = schema.refined, frozenset(masters)
    query = sa.select(t.c.ref, t.c.system, t.c.fields).where(t.c.entity.in_(DATED))
    found: tuple[list[str], list[str]] = ([], [])
    for ref, system, fields in c.execute(query.where(~t.c.deleted).order_by(t.c.ref)):
        said = json.loads(fields)
        if (
            first < said.get("valid_from", "") <= last
            or first <= said.get("valid_to", "") < last
            or any(dawn <= said.get(name, "")[:10] <= dusk for name in ("starts_at", "ends_at"))
        ):
            found[system not in ours].append(ref)
    return found


def _days_from(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def _tickets(c: sa.Connection, masters: Iterable[str]) -> set[str]:
    t = schema.refined
    living = sa.select(t.c.ref).where(t.c.entity == Entity.TICKET.value, ~t.c.deleted)
    return set(c.execute(living.where(t.c.system.not_in(sorted(masters)))).scalars())


def _come_due(c: sa.Connection, masters: Iterable[str], before: Basis, basis: Basis) -> set[str]:
    """Tickets that are worked on and came due since the last compare, whatever their channel."""
    links, found = schema.links, set[str]()
    for first, last in service.coming_due(standards(c, masters), before.at, basis.at):
        opened = links.c.target.between(waiting(first), waiting(last))
        found |= set(c.execute(sa.select(links.c.ref).where(opened, links.c.field == WAITS)).scalars())
    return found


def standards(c: sa.Connection, masters: Iterable[str]) -> pa.Table:
    """The masters' own, as `compare.service` has them: a few rows."""
    t = schema.refined
    told = sa.select(t.c.ref, t.c.fields).where(t.c.entity == Entity.STANDARD.value, ~t.c.deleted)
    return bulk.table(c, told.where(t.c.system.in_(sorted(masters)))).cast(service.STANDARDS)


# -- what is around ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Surroundings:
    """Living records, and what they are judged by: see `compare.broken_links`, `context` and `offers`."""

    rows: pa.Table
    targets: pa.Table
    trade: pa.Table
    believed: pa.Table
    accounts: pa.Table
    groups: pa.Table


def surroundings(c: sa.Connection, refs: Sequence[str], masters: Iterable[str]) -> Surroundings:
    """The living of `refs` and all that they lead to."""
    t, x, g = schema.refined, schema.crosswalk, schema.goldens
    living = _rows().where(~t.c.deleted)
    rows = bulk.table_in(c, living, t.c.ref, refs)
    spoken = _spoken(rows)
    targets = bulk.table_in(c, sa.select(t.c.ref).where(~t.c.deleted), t.c.ref, _targets(spoken))
    mastered = pc.is_in(rows.column("system"), pa.array(sorted(masters), pa.string()))
    said = rows.filter(pc.and_(_about_goods(rows), pc.invert(mastered)))
    listed = rows.filter(pc.and_(pc.equal(rows.column("entity"), Entity.PRICE.value), mastered))
    if not said.num_rows and not listed.num_rows:
        return Surroundings(rows, targets, said, *(s.empty_table() for s in (BELIEVED, GOLDENS, GROUPS_OF)))
    occasions = bulk.table_in(c, living, t.c.ref, named(said, (Entity.LINE,), ("of",)))
    customers = [*named(occasions, OCCASIONS, ("account", "contact")), *named(said, TOLD, ("account", "contact"))]
    customers += _targets(_of(spoken, said.filter(pc.equal(said.column("entity"), Entity.PROMOTION.value))), "contacts")
    # No entity is asked for beside refs or ids: SQLite would go through all of it instead of these few.
    believing = sa.select(x.c.ref, x.c.entity, x.c.golden_id, g.c.fields, g.c.lineage).join(g, g.c.id == x.c.golden_id)
    believed = bulk.table_in(c, believing, x.c.ref, customers).cast(BELIEVED)
    believed = believed.filter(pc.is_in(believed.column("entity"), pa.array(CUSTOMERS)))
    belonging = accounts_of(believed, _neighbours(c, believed))
    ids = pc.unique(belonging.column("account")).to_pylist()
    accounts = bulk.table_in(c, sa.select(g.c.id, g.c.fields, g.c.lineage), g.c.id, ids).cast(GOLDENS)
    return Surroundings(
        rows=rows,
        targets=targets,
        trade=pa.concat_tables(
            [
                said,
                _beside(c, spoken, said, masters),
                occasions,
                _listed(c, _of(spoken, said), _of(spoken, listed), masters),
            ]
        ),
        believed=believed,
        accounts=accounts,
        groups=groups_of(belonging, accounts),
    )


def _neighbours(c: sa.Connection, believed: pa.Table) -> pa.Table:
    """(golden_id, account): whose mailbox is at the domain of which accounts. What was noted of an account may be what
    it no longer says."""
    links, g = schema.links, schema.goldens
    contacts = believed.filter(pc.equal(believed.column("entity"), Entity.CONTACT.value))
    mailboxes = _domains_of(contacts.select(["golden_id", "entity", "fields"]))
    noted = sa.select(links.c.ref).where(links.c.field == AT)
    hosts = pc.unique(mailboxes.column("target")).to_pylist()
    ids = sorted({r.ref for r in bulk.where_in(c, noted, links.c.target, hosts)})
    firms = sa.select(g.c.id, g.c.entity, g.c.fields).where(g.c.members > 0)
    accounts = bulk.table_in(c, firms, g.c.id, ids)
    accounts = accounts.filter(pc.equal(accounts.column("entity"), Entity.ACCOUNT.value))
    found = _domains_of(accounts).rename_columns(["account", "target"])
    return mailboxes.rename_columns(["golden_id", "target"]).join(found, "target", join_type="inner")


def _domains_of(goldens: pa.Table) -> pa.Table:
    """(id, target) of golden records given as (id, entity, fields)."""
    spoken = spoken_of(goldens.rename_columns(SPOKEN.names).cast(SPOKEN))
    return (
        spoken.filter(pc.equal(spoken.column("field"), AT))
        .drop_columns("field")
        .group_by(LINKS.names[::2])
        .aggregate([])
    )


def _about_goods(rows: pa.Table) -> pa.ChunkedArray:
    """Which of these say something about what is sold."""
    kind = rows.column("entity")
    silent = pc.and_(pc.equal(kind, Entity.TICKET.value), pc.invert(pc.match_substring(rows.column("fields"), PROMISE)))
    return pc.and_not(pc.is_in(kind, pa.array([e.value for e in SAID])), silent)


def _spoken(rows: pa.Table) -> pa.Table:
    return spoken_of(rows.select(SPOKEN.names))


def _of(spoken: pa.Table, rows: pa.Table) -> pa.Table:
    """What these of them speak of."""
    return spoken.filter(pc.is_in(spoken.column("ref"), rows.column("ref").combine_chunks()))


def _targets(spoken: pa.Table, *only: str) -> list[str]:
    """What is spoken of in these fields; if none is told, the refs."""
    about = spoken.column("field")
    wanted = pc.is_in(about, pa.array(only)) if only else pc.invert(pc.is_in(about, pa.array(NOT_REFS)))
    targets: list[str] = pc.unique(spoken.filter(wanted).column("target")).to_pylist()
    return targets


def _beside(c: sa.Connection, spoken: pa.Table, said: pa.Table, masters: Iterable[str]) -> pa.Table:
    """Other products of channels with a SKU that is offered here."""
    t, links = schema.refined, schema.links
    offered = _of(spoken, said.filter(pc.equal(said.column("entity"), Entity.PRODUCT.value)))
    query = _rows().join(links, links.c.ref == t.c.ref).where(t.c.system.not_in(sorted(masters)), ~t.c.deleted)
    same = bulk.table_in(c, query.where(links.c.field == "sku"), links.c.target, _targets(offered, "sku"))
    return same.filter(pc.invert(pc.is_in(same.column("ref"), said.column("ref").combine_chunks())))


def _listed(c: sa.Connection, said: pa.Table, listed: pa.Table, masters: Iterable[str]) -> pa.Table:
    """What the masters say about what is spoken of (`said`), and about what is priced here (`listed`, both as LINKS):
    products, prices, promotions. Prices are many, and each is of one SKU; a promotion may be found by its SKU, its code
    and its name."""
    t, links = schema.refined, schema.links
    skus = {*_targets(said, "sku"), *_targets(listed, "sku")}
    wanted = sorted({sold_as(entity, sku) for entity in (Entity.PRODUCT, Entity.PRICE) for sku in skus})
    masters_own = (t.c.system.in_(sorted(masters)), ~t.c.deleted)
    query = _rows().join(links, links.c.ref == t.c.ref).where(*masters_own)
    sold = bulk.table_in(c, query.where(links.c.field == "sku"), links.c.target, wanted)
    promised = {sold_as(Entity.PROMOTION, sku) for sku in skus} | {*_targets(said, PROMOTED)}
    promotions = {r.ref for r in bulk.where_in(c, sa.select(links.c.ref), links.c.target, sorted(promised))}
    return pa.concat_tables([sold, bulk.table_in(c, _rows().where(*masters_own), t.c.ref, sorted(promotions))])


@dataclass(frozen=True)
class Assortment:
    """The masters' products that are sold in channels they name, and what is offered there: see `compare.missing`."""

    products: pa.Table
    offered: pa.Table
    sellers: pa.Table


def assortment(c: sa.Connection, rows: pa.Table, masters: Iterable[str], who: Sequence[tuple[str, str]]) -> Assortment:
    """Of those among `rows`. who: the sellers."""
    t, links = schema.refined, schema.links
    mastered = pc.is_in(rows.column("system"), pa.array(sorted(masters), pa.string()))
    sold = pc.and_(
        pc.equal(rows.column("entity"), Entity.PRODUCT.value), pc.match_substring(rows.column("fields"), SOLD_IN)
    )
    products = rows.filter(pc.and_(mastered, sold))
    if not products.num_rows or not who:  # as in most slices: then nothing more is looked up
        return Assortment(products, OFFERED.empty_table(), SELLERS.empty_table())
    systems = sorted({system for _, system in who})
    there = sa.select(*(t.c[name] for name in OFFERED.names)).join(links, links.c.ref == t.c.ref)
    there = there.where(links.c.field.in_(KNOWN_BY), t.c.system.in_(systems), ~t.c.deleted)
    offered = bulk.table_in(c, there, links.c.target, _targets(_spoken(products), *KNOWN_BY)).cast(OFFERED)
    told = [{"word": word, "system": system} for word, system in who]
    return Assortment(products, offered, pa.Table.from_pylist(told, schema=SELLERS))
