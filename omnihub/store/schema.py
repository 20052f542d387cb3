"""The tables. Names are the hub's words; JSON is kept as text so that both databases hold the same bytes.

landing     streams, exchanges, raw, records, rejects
believing   refined, keys, models, pairs, crosswalk, goldens, golden_history, events
deciding    queue, judgements, pins, decisions, links, differences, findings
writing     plans, changes, receipts, sent, dead_letters, approvals, sources, holds, created
keeping     runs, scores, stakes, watermarks, counter, facts, audit
forgetting  forgettings, tombstones
counting    budgets, budget_seats (with SQLite in a file of their own: see `budget`)
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"},
)

# SQLite gives out row ids by itself only to INTEGER, PostgreSQL wants eight bytes.
Big = BigInteger().with_variant(Integer, "sqlite")


def _seq() -> Column[int]:
    return Column("seq", Big, nullable=False)


# -- landing -------------------------------------------------------------------------------------------------------

streams = Table(
    "streams",
    metadata,
    Column("system", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("cursor", Text),  # how far it has been read, in the stream's own terms
    Column("read_at", Text),  # when a pull last ended well
    Column("full_at", Text),  # when a complete pass last ended
    Column("state", Text, nullable=False, server_default="new"),  # ok, failed, waiting (for tomorrow's calls), new
    Column("error", Text),
    PrimaryKeyConstraint("system", "stream"),
)

exchanges = Table(
    "exchanges",
    metadata,
    Column("id", Big, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("url", Text, nullable=False),  # masked
    Column("status", Integer, nullable=False),
    Column("at", Text, nullable=False),
)

raw = Table(  # append-only: every version of every record, byte for byte
    "raw",
    metadata,
    Column("seq", Big, primary_key=True, autoincrement=False),
    Column("ref", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("exchange_id", Big, nullable=False),
    Column("pointer", Text, nullable=False),
    Column("updated", Text),  # the system's own time of change, as it says it
    Column("deleted", Boolean, nullable=False),
    Column("merged_into", Text),
    Column("landed_at", Text, nullable=False),
    Index(None, "system", "stream", "seq"),
)

records = Table(  # the latest version of each
    "records",
    metadata,
    Column("ref", Text, primary_key=True),
    Column("system", Text, nullable=False),
    Column("stream", Text, nullable=False),
    _seq(),  # of its latest raw
    Column("hash", LargeBinary, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Index(None, "system", "stream"),
)

rejects = Table(  # what has no key: kept, and reported
    "rejects",
    metadata,
    Column("id", Big, primary_key=True),
    Column("system", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("exchange_id", Big, nullable=False),
    Column("pointer", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("landed_at", Text, nullable=False),
    Index(None, "system", "stream", "hash", unique=True),
)

# -- believing -----------------------------------------------------------------------------------------------------

refined = Table(
    "refined",
    metadata,
    Column("ref", Text, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("stream", Text, nullable=False),
    _seq(),
    Column("raw_seq", Big, nullable=False),  # the raw record it was made from
    Column("pointer", Text, nullable=False),  # where in that record ("" but for nested streams)
    Column("parent", Text),  # nested streams: the ref of the record it is nested in
    Column("deleted", Boolean, nullable=False),
    Column("updated", Text),  # UTC
    Column("fields", Text, nullable=False),  # JSON: field → canonical text
    Column("times", Text, nullable=False),  # JSON: field → since when it has this value, UTC
    Column("echoes", Text, nullable=False),  # JSON: fields whose value is our own write come back
    Column(
        "own", Text, nullable=False, server_default="{}"
    ),  # JSON: field → its own last word, where it holds our echo
    Column("edits", Text, nullable=False, server_default="[]"),  # JSON: fields we saw somebody change
    Column("problems", Text, nullable=False),  # JSON: field → why it could not be cleaned
    Index(None, "entity", "seq"),
    Index(None, "seq"),
    Index(None, "parent", sqlite_where=text("parent IS NOT NULL"), postgresql_where=text("parent IS NOT NULL")),
)

keys = Table(  # blocking keys: who might be the same
    "keys",
    metadata,
    Column("entity", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("ref", Text, nullable=False),
    PrimaryKeyConstraint("entity", "key", "ref"),
    Index(None, "ref"),
)

models = Table(  # how pairs are weighed; every version that ever weighed one is kept
    "models",
    metadata,
    Column("entity", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("model", Text, nullable=False),  # JSON
    Column("frequencies", LargeBinary),  # how common values were when it was made: frozen with it
    Column("trained_on", Text),  # the fingerprint of what it learnt from; none for a model that came with the hub
    Column("at", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    PrimaryKeyConstraint("entity", "version"),
)

pairs = Table(
    "pairs",
    metadata,
    Column("a", Text, nullable=False),  # a < b
    Column("b", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("weight", Float, nullable=False),  # log2 of the Bayes factor
    Column("state", Text, nullable=False),  # same, unsure, different
    Column("why", Text, nullable=False),  # JSON: comparison → weight
    PrimaryKeyConstraint("a", "b"),
    Index(None, "b"),
    Index(None, "entity", "state"),
)

crosswalk = Table(
    "crosswalk",
    metadata,
    Column("ref", Text, primary_key=True),
    Column("golden_id", Text, nullable=False),
    Column("entity", Text, nullable=False),
    _seq(),
    Column("former", Text),  # JSON: ids it had that were merged away; they come back when the merge is undone
    Index(None, "golden_id"),
    Index(None, "entity", "seq"),
)

goldens = Table(
    "goldens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("entity", Text, nullable=False),
    _seq(),
    Column("born", Big, nullable=False),  # seq at birth: the oldest id lives on
    Column("founder", Text, nullable=False),  # the ref it was born from; a split follows it
    Column("merged_into", Text),
    Column("fields", Text, nullable=False),
    Column("lineage", Text, nullable=False),  # JSON: field → {ref, rule, raw_seq, losers}
    Column("members", Integer, nullable=False),
    Index(None, "entity", "seq"),
    Index(None, "founder"),
    Index(
        None,
        "merged_into",
        sqlite_where=text("merged_into IS NOT NULL"),
        postgresql_where=text("merged_into IS NOT NULL"),
    ),
)

golden_history = Table(
    "golden_history",
    metadata,
    Column("id", Text, nullable=False),
    _seq(),
    Column("at", Text, nullable=False),
    Column("fields", Text, nullable=False),
    Column("lineage", Text, nullable=False),
    PrimaryKeyConstraint("id", "seq"),
)

events = Table(  # born, merged, split, revived: what downstream must follow
    "events",
    metadata,
    Column("seq", Big, primary_key=True, autoincrement=False),
    Column("entity", Text, nullable=False),
    Column("golden_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("other_id", Text),
    Column("at", Text, nullable=False),
    Index(None, "golden_id"),
)

# -- deciding ------------------------------------------------------------------------------------------------------

queue = Table(  # what a guard or a threshold gave to a person
    "queue",
    metadata,
    Column("id", Text, primary_key=True),  # hash of entity and members
    Column("entity", Text, nullable=False),
    Column("members", Text, nullable=False),  # JSON: refs
    Column("reason", Text, nullable=False),
    Column("weight", Float),  # bits of the strongest link, where there is one
    Column("why", Text, nullable=False),  # JSON: what settles it, and why
    Column("since", Text, nullable=False),
    _seq(),
    Index(None, "entity"),
)

judgements = Table(
    "judgements",
    metadata,
    Column("a", Text, nullable=False),
    Column("b", Text, nullable=False),
    Column("verdict", Text, nullable=False),  # same, different, unsure
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("expires_at", Text),
    _seq(),
    Column("id", Big),  # the decision it was made by
    Column("evidence", Text),  # JSON: ref → field → key: what was known of both when it was judged
    Column("note", Text),  # what has changed since, where that reopened it
    Column("reopened_at", Text),
    PrimaryKeyConstraint("a", "b"),
    Index(None, "b"),
    Index(None, "seq"),
)

pins = Table(
    "pins",
    metadata,
    Column("golden_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("value", Text),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("expires_at", Text),
    _seq(),
    PrimaryKeyConstraint("golden_id", "field"),
)

decisions = Table(  # append-only: every judgement and pin made, changed, reopened, undone or ended
    "decisions",
    metadata,
    Column("seq", Big, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("what", Text, nullable=False),  # judged, unjudged, expired, reopened, settled, pinned, unpinned, outlived
    Column("before", Text),  # JSON; none where there was nothing
    Column("after", Text),  # JSON; none where nothing is left
)

links = Table(  # what each record speaks of, as of the last compare: see `omnihub.compare.links`
    "links",
    metadata,
    Column("ref", Text, nullable=False),  # of a record; the id of a golden contact
    Column("field", Text, nullable=False),
    Column("target", Text, nullable=False),  # the ref linked to, or what is sold; of a golden contact, a golden account
    PrimaryKeyConstraint("ref", "field", "target"),
    Index(None, "target"),
    sqlite_with_rowid=False,
)

differences = Table(  # where a system's value is not the golden one, as of the last compare
    "differences",
    metadata,
    Column("ref", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("golden_id", Text, nullable=False),
    Column("theirs", Text),
    Column("ours", Text),
    Column("winner", Text),  # the ref the golden value came from
    Column("rule", Text, nullable=False),
    PrimaryKeyConstraint("ref", "field"),
    Index(None, "golden_id"),
    Index(None, "system", "stream"),
)

findings = Table(
    "findings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("golden_id", Text),
    Column("owner", Text, nullable=False),
    Column("theirs", Text),
    Column("expected", Text),
    Column("detail", Text, nullable=False),  # JSON
    Column("state", Text, nullable=False),  # open, assigned, ignored, resolved: see `model.FindingState`
    Column("first_seen", Text, nullable=False),
    Column("last_seen", Text, nullable=False),
    Column("group_id", Text, nullable=False, server_default=text("''")),  # the same for those with one cause
    Column("cause", Text, nullable=False, server_default=text("''")),  # its key, where it has one
    Column("evidence", Text, nullable=False, server_default=text("''")),  # a hash of what was said and should be
    Column("at_stake_cents", Big, nullable=False, server_default=text("0")),  # hundredths of `currency`
    Column("currency", Text, nullable=False, server_default=text("''")),
    Column("customers", Integer, nullable=False, server_default=text("0")),  # how many it touches
    Column("changed_at", Text),  # when its state last changed
    Column("assigned_to", Text),
    Column("because", Text),  # of what somebody decided, as are until, decided_by and decided_at
    Column("until", Text),  # ignored until this moment, or until its evidence has `changed`
    Column("decided_by", Text),
    Column("decided_at", Text),
    Column("note", Text),  # what the hub did by itself
    Column("seq", Big, nullable=False, server_default=text("0")),
    Index(None, "ref"),
    Index(None, "state", "kind"),
    Index(None, "group_id"),
    Index(None, "seq"),
)

# -- writing -------------------------------------------------------------------------------------------------------

plans = Table(
    "plans",
    metadata,
    Column("id", Text, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("state", Text, nullable=False),  # ready, blocked, approved, applying, applied, outdated
    Column("created_at", Text, nullable=False),
    Column("applied_at", Text),
    Column("counts", Text, nullable=False),  # JSON: planned, written, refused, deferred, drifted
    Column("guard", Text, nullable=False),  # JSON: the limits it broke, in words
    Column("limits", Text),  # JSON: the same as facts, see `push.guard.Broken`
    Column("seen", Text),  # JSON: what the sources held when it was made, where a limit stopped it
    Column("looked", Text, nullable=False),  # JSON: system → looked | could not look | not supported
    Column("kind", Text, nullable=False, server_default=text("'sync'")),  # sync; undo of such a plan, redo of an undo
    Column("about", Text),  # JSON: of an undo: the plans it takes back, who asked, why, and what is left as it is
)

changes = Table(
    "changes",
    metadata,
    Column("plan_id", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("ref", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("golden_id", Text, nullable=False),
    Column("op", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("old", Text),
    Column("new", Text),
    Column("why", Text, nullable=False),
    Column("outcome", Text),
    Column("exact", Text),  # JSON: the value as the system itself had it, where it is to be written just so
    PrimaryKeyConstraint("plan_id", "n"),
    Index(None, "ref"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", Big, primary_key=True),
    Column("plan_id", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("op", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("before", Text, nullable=False),  # JSON: field → canonical text as looked at just before
    Column("sent", Text, nullable=False),  # JSON: field → canonical text
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("method", Text),
    Column("url", Text),
    Column("status", Integer),
    Column("at", Text, nullable=False),
    Column("native", Text),  # JSON: field → in the system's own form, what was there and what was sent
    Index(None, "plan_id"),
    Index(None, "ref"),
)

sent = Table(  # the last value we wrote to each field: how our own echo is recognised
    "sent",
    metadata,
    Column("ref", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("value", Text),
    Column("intended", Text),  # noted before the call: written or not, should the receipt be lost with the process
    Column("plan_id", Text, nullable=False),
    Column("at", Text, nullable=False),
    PrimaryKeyConstraint("ref", "field"),
)

dead_letters = Table(  # what a system refused: the letter of a record is all its rows
    "dead_letters",
    metadata,
    Column("ref", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("old", Text),  # as planned; these two and the message are sealed where a key is set: see `flow.letters`
    Column("new", Text),
    Column("plan_id", Text, nullable=False),  # of the last try
    Column("code", Text, nullable=False),  # the system's own
    Column("message", Text, nullable=False),
    Column("at", Text, nullable=False),  # of the last try
    Column("golden_id", Text),
    Column("why", Text),
    Column("attempts", Integer, nullable=False, server_default=text("1")),  # of this very change
    Column("first_at", Text),
    Column("raw_seq", Big),  # the latest known of the record when it was refused
    Column("given_up_at", Text),
    Column("given_up_by", Text),
    Column("because", Text),
    PrimaryKeyConstraint("ref", "field"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("plan_id", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("expires_at", Text),
)

sources = Table(  # how much each stream holds, and held when it was last fine: see `flow.guarding`
    "sources",
    metadata,
    Column("system", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("field", Text, nullable=False),  # "": living records; else those of them that hold this field
    Column("now", Integer, nullable=False, server_default=text("0")),
    Column("fine", Integer),
    Column("fine_at", Text),
    PrimaryKeyConstraint("system", "stream", "field"),
)

holds = Table(  # what a person has undone: not written again while both values are as they were then
    "holds",
    metadata,
    Column("ref", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("theirs", Text),  # what was restored
    Column("ours", Text),  # what the golden record said
    Column("plan_id", Text, nullable=False),  # the undo
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Text, nullable=False),
    PrimaryKeyConstraint("ref", "field"),
)

created = Table(  # records the hub has made: whose they are by its own doing, whatever their values say later
    "created",
    metadata,
    Column("system", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("key", Text, nullable=False),  # the golden id it was made for, which the system knows it by
    Column("entity", Text, nullable=False),
    Column("ref", Text),  # none as long as it is not known whether it was made
    Column("anchors", Text, nullable=False),  # JSON: refs; it goes with the first of these that is there
    Column("plan_id", Text, nullable=False),
    Column("at", Text, nullable=False),
    _seq(),
    Column("image", Text),  # JSON: its canonical fields just after it was made
    Column("undone_by", Text),  # the plan that let go of it, or took it away
    PrimaryKeyConstraint("system", "stream", "key"),
    Index(None, "ref"),
    Index(None, "seq"),
)

deliveries = Table(  # what was told a system of its findings, in its own screens: see `flow.delivering`
    "deliveries",
    metadata,
    Column("system", Text, nullable=False),
    Column("key", Text, nullable=False),  # what the notice is known by, there and here
    Column("about", Text, nullable=False),  # the group of findings, or the record
    Column("told", Text, nullable=False),  # JSON: finding → the evidence that was told
    Column("place_id", Text),  # the system's own id of the notice
    Column("hash", Text, nullable=False),  # of what was told; none where it is not known to be there
    Column("state", Text, nullable=False),  # begun, open, closed, refused
    Column("at", Text, nullable=False),  # when it was last told
    Column("run_id", Text, nullable=False),
    Column("code", Text, nullable=False),  # of a refusal, the system's own
    Column("message", Text, nullable=False),
    PrimaryKeyConstraint("system", "key"),
    Index(None, "system", "state"),
)

notices = Table(  # what each run, and each undo, has done to a notice in a system: see `flow.notices`
    "notices",
    metadata,
    Column("system", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("doer", Text, nullable=False),  # the run, or the plan of the undo
    _seq(),
    Column("about", Text, nullable=False),
    Column("was", Text, nullable=False),  # gone, open, closed, cleared
    Column("before", Text),  # JSON: the notice as it was, and the evidence it told
    Column("now", Text, nullable=False),
    Column("after", Text),
    Column("place_id", Text),
    Column("state", Text, nullable=False),  # begun, done
    Column("at", Text, nullable=False),
    PrimaryKeyConstraint("system", "key", "doer"),
    Index(None, "doer"),
)

# -- keeping -------------------------------------------------------------------------------------------------------

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("started_at", Text, nullable=False),
    Column("ended_at", Text),
    Column("state", Text, nullable=False),  # running, ok, partial, red
    Column("counts", Text, nullable=False, server_default=text("'{}'")),  # JSON: step → counts
)

scores = Table(  # how far each system agreed as of each run, in cells: see `omnihub.report.score`
    "scores",
    metadata,
    Column("run_id", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("golden", Integer, nullable=False),
    Column("comparable", Integer, nullable=False),
    Column("equal", Integer, nullable=False),
    Column("corrected", Integer, nullable=False),
    Column("filled", Integer, nullable=False),
    PrimaryKeyConstraint("run_id", "system", "entity", "field", "phase"),
)

stakes = Table(  # the money at risk as of each run
    "stakes",
    metadata,
    Column("run_id", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("findings", Integer, nullable=False),  # those with money at stake
    Column("cents", Big, nullable=False),  # hundredths of `currency`
    PrimaryKeyConstraint("run_id", "system", "entity", "currency"),
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("step", Text, nullable=False),
    Column("scope", Text, nullable=False),
    _seq(),
    PrimaryKeyConstraint("step", "scope"),
)

counter = Table("counter", metadata, Column("name", Text, primary_key=True), Column("value", Big, nullable=False))

facts = Table("facts", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

audit = Table(  # append-only; each row holds the hash of the one before: see `flow.auditing`
    "audit",
    metadata,
    Column("seq", Big, primary_key=True, autoincrement=False),  # 1, 2, 3 … without a gap
    Column("at", Text, nullable=False),
    Column("author", Text, nullable=False),  # "" is the hub itself
    Column("what", Text, nullable=False),
    Column("facts", Text, nullable=False),  # JSON
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

# -- forgetting ----------------------------------------------------------------------------------------------------

forgettings = Table(  # who asked that somebody be forgotten, and how far that has come: see `flow.forgetting`
    "forgettings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),  # planned, erasing, forgotten, outdated, lifted
    Column("hash", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("ended_at", Text),
    Column("told", Text, nullable=False),  # JSON: records and what became of each; once forgotten only how many
)

tombstones = Table(  # what is not to come back, as keyed hashes: see `store.forgotten`
    "tombstones",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # record, mention, person
    Column("system", Text, nullable=False),  # these two are empty for a person
    Column("stream", Text, nullable=False),
    Column("forgetting", Text, nullable=False),
    Column("sent_at", Text),  # when a pull last brought it all the same
    Index(None, "forgetting"),
)

# -- alerting ------------------------------------------------------------------------------------------------------

alerts = Table(  # what is watched, and the state it is in: see `flow.alerting`
    "alerts",
    metadata,
    Column("key", Text, primary_key=True),  # run, plan, system:<name>, findings:<kind>
    Column("state", Text, nullable=False),  # ok, or what is wrong in a word
    Column("says", Text, nullable=False),  # for a person
    Column("since", Text, nullable=False),
    Column("run_id", Text, nullable=False),  # that brought this state
)

alerts_told = Table(  # the state each channel was last told of
    "alerts_told",
    metadata,
    Column("channel", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", Text, nullable=False),
    PrimaryKeyConstraint("channel", "key"),
)

# -- counting ------------------------------------------------------------------------------------------------------

budgets = Table(  # what is known of a limit, by key (whose calls) and rule
    "budgets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("state", Text, nullable=False),  # JSON
)

budget_seats = Table(  # a moving window: as many seats as calls are allowed in it
    "budget_seats",
    metadata,
    Column("name", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("free_at", Float, nullable=False),  # seconds since 1970; a double on both
    Column("busy", Boolean, nullable=False),  # its call is under way; then free_at is when its caller is given up
    PrimaryKeyConstraint("name", "n"),
    Index(None, "name", "free_at"),
)
