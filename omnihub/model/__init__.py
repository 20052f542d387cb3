"""The vocabulary: frozen values that every other part speaks in, and that depend on nothing.

refs       Ref — where a record lives: system/stream/id
entities   Entity, Kind, Field — what records are about, and the canonical fields of each
changes    Change, Outcome, Op — one wished edit, and how it ended
findings   FindingKind, Finding — one disagreement worth reporting
"""

from omnihub.model.changes import Change, Op, Outcome
from omnihub.model.entities import ENTITIES, GOLDEN, Entity, Field, Kind, fields_of
from omnihub.model.findings import FINDING_KINDS, Finding, FindingKind, Severity
from omnihub.model.refs import Ref

__all__ = [
    "ENTITIES",
    "FINDING_KINDS",
    "GOLDEN",
    "Change",
    "Entity",
    "Field",
    "Finding",
    "FindingKind",
    "Kind",
    "Op",
    "Outcome",
    "Ref",
    "Severity",
    "fields_of",
]
