"""Policy: what the hub may do by itself to one kind of record of one system, as the settings say it.

create  never | if_missing                   whether customers it does not know are made there
update  always | if_empty | approve | never  whether, and how, what differs is written; of one field or group, too
delete  never | own                          whether an undo may take away what the hub has made
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from omnihub.model import ENTITIES, Change, Entity, Op

Create = Literal["never", "if_missing"]
Update = Literal["always", "if_empty", "approve", "never"]
Delete = Literal["never", "own"]


@dataclass(frozen=True)
class Policy:
    """What may be done by itself. fields: field, or group of fields, → `update` of it, where that is another."""

    create: Create = "never"
    update: Update = "always"
    delete: Delete = "never"
    fields: Mapping[str, Update] = field(default_factory=dict)

    def of(self, unit: str) -> Update:
        """How a field, or a group of fields, is updated."""
        return self.fields.get(unit, self.update)


Policies = Mapping[tuple[str, Entity], Policy]
"""(system, entity) → its policy, where the settings have one."""

DEFAULT = Policy()


def policy_for(policies: Policies, system: str, golden_id: str) -> Policy:
    """The policy that holds for records of this system that are about this golden record."""
    return policies.get((system, Entity(golden_id.partition("_")[0])), DEFAULT)


def asked(changes: Iterable[Change], policies: Policies) -> Iterator[tuple[str, str, str, list[str]]]:
    """(system, stream, field or group, refs) of the updates that a person wants to approve first."""
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for change in changes if policies else ():
        unit = ENTITIES[Entity(change.golden_id.partition("_")[0])][change.field].group or change.field
        rule = policy_for(policies, change.ref.system, change.golden_id)
        if change.op is Op.UPDATE and rule.of(unit) == "approve":
            found[change.ref.system, change.ref.stream, unit].add(str(change.ref))
    for (system, stream, unit), refs in sorted(found.items()):
        yield system, stream, unit, sorted(refs)
