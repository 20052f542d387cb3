"""The vocabulary: frozen values that every other part speaks in, and that depend on nothing.

refs       Ref — where a record lives: system/stream/id
entities   Entity, Kind, Field — what records are about, and the canonical fields of each
changes    Change, Outcome, Op — one wished edit, and how it ended
findings   FindingKind, Finding — one disagreement worth reporting
"""

from omnihub.model.changes import Change, Op, Outcome
from omnihub.model.entities import ENTITIES, GOLDEN, Entity, Field, Kind, fields_of
from omnihub.model.findings import ALIVE, FINDING_KINDS, STANDING, Finding, FindingKind, FindingState, Severity
from omnihub.model.refs import Ref

__all__ = [
    "ALIVE",
    "ENTITIES",
    "FINDING_KINDS",
    "GOLDEN",
    "STANDING",
    "Change",
    "Entity",
    "Field",
    "Finding",
    "FindingKind",
    "FindingState",
    "Kind",
    "Op",
    "Outcome",
    "Ref",
    "Severity",
    "fields_of",
]
