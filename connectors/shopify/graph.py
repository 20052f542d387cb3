"""GraphQL for the stand-in: what a query would cost, and a quick way through long lists of plain records.

Parsing, validation, variables and the order of mutations are graphql-core's; only the nodes of a list are answered
along a plan made once per list, because asking the general executor field by field costs ten times as much.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionContext,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    parse,
    validate,
    value_from_ast_untyped,
)
from graphql.execution.values import get_argument_values

MUTATION_POINTS = 10
CONNECTION_POINTS = 2

Plan = Callable[[Any, GraphQLResolveInfo], Any]


@functools.lru_cache(maxsize=512)
def understood(schema: GraphQLSchema, text: str) -> tuple[DocumentNode | None, tuple[GraphQLError, ...]]:
    """The parsed query and what is wrong with it. The same texts come again and again."""
    try:
        document = parse(text)
    except GraphQLError as error:
        return None, (error,)
    return document, tuple(validate(schema, document))


# -- price -----------------------------------------------------------------------------------------------------------


def requested_cost(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> int:
    """The price of a query before it runs, by the vendor's published rule.

    Scalars and enums nothing, an object 1, a connection 2 and `first` times its node, another list `first` (or as many
    ids as were given) times its item, an interface or a union the dearest of what may be there, a mutation 10 whatever
    it answers.
    """
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    if operation.operation.value == "mutation":
        return MUTATION_POINTS * len(operation.selection_set.selections)
    assert schema.query_type
    return _Price(schema, fragments, variables).of(schema.query_type, operation.selection_set)


class _Price:
    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
    ) -> None:
        self.schema, self.fragments, self.variables = schema, fragments, variables

    def of(self, parent: Any, selected: SelectionSetNode | None) -> int:
        """The price of what is selected of one object."""
        own, alternatives = 0, [0]
        for node in selected.selections if selected else ():
            if isinstance(node, FieldNode):
                own += self._field(parent, node)
            elif isinstance(node, InlineFragmentNode | FragmentSpreadNode):
                alternatives.append(self._fragment(parent, node))
        return own + (
            max(alternatives) if isinstance(parent, GraphQLInterfaceType | GraphQLUnionType) else sum(alternatives)
        )

    def _fragment(self, parent: Any, node: InlineFragmentNode | FragmentSpreadNode) -> int:
        part = self.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
        condition = part.type_condition
        return self.of(self.schema.type_map[condition.name.value] if condition else parent, part.selection_set)

    def _field(self, parent: Any, node: FieldNode) -> int:
        definition = getattr(parent, "fields", {}).get(node.name.value)
        if definition is None or is_leaf_type(get_named_type(definition.type)):
            return 0
        kind = get_named_type(definition.type)
        if kind.name == "PageInfo":
            return 0
        inside = self.of(kind, node.selection_set)
        if kind.name.endswith("Connection"):
            return CONNECTION_POINTS + self._many(node) * inside
        if kind.name.endswith("Edge"):
            return inside
        # a connection's nodes are counted by the connection, which knows how many there may be
        plain_list = _is_list(definition.type) and not parent.name.endswith("Connection")
        return (1 + inside) * (self._many(node) if plain_list else 1)

    def _many(self, node: FieldNode) -> int:
        given = {a.name.value: value_from_ast_untyped(a.value, dict(self.variables)) for a in node.arguments}
        size = given.get("first") or given.get("last")
        return int(size) if size else len(given.get("ids") or [1])


def actual_cost(data: Any, requested: int, *, mutation: bool) -> int:
    """The price of what was really found: its objects. Never more than was asked for."""
    return requested if mutation else min(requested, _objects(data) - 1)


def _objects(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(_objects(v) for v in value.values() if isinstance(v, dict | list))
    return sum(_objects(v) for v in value) if isinstance(value, list) else 0


# -- answers ---------------------------------------------------------------------------------------------------------


def look_up(source: Any, name: str) -> Any:
    """A field that needs no work."""
    return source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)


class Quick(ExecutionContext):
    """graphql-core's executor, but for the items of lists."""

    def complete_list_value(self, return_type: Any, field_nodes: Any, info: Any, path: Any, result: Any) -> Any:
        """Answer a list along one plan per type of item."""
        item = get_named_type(return_type)
        if is_leaf_type(item):
            return super().complete_list_value(return_type, field_nodes, info, path, result)
        return self._items(item, field_nodes)(result, info)

    def _items(self, item: Any, nodes: list[FieldNode]) -> Plan:
        one = self._object(item, nodes)
        return lambda found, info: [None if value is None else one(value, info) for value in found]

    def _object(self, kind: Any, nodes: list[FieldNode]) -> Plan:
        """How one object is answered; where its type is open, by its own word for it."""
        if isinstance(kind, GraphQLObjectType):
            return self._fields(kind, nodes)
        plans: dict[str, Plan] = {}

        def one(source: Any, info: GraphQLResolveInfo) -> Any:
            name = source["__typename"]
            if name not in plans:
                plans[name] = self._fields(self.schema.type_map[name], nodes)
            return plans[name](source, info)

        return one

    def _fields(self, kind: Any, nodes: list[FieldNode]) -> Plan:
        steps = [(name, self._field(kind, some)) for name, some in self.collect_subfields(kind, nodes).items()]
        return lambda source, info: {name: step(source, info) for name, step in steps}

    def _field(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> Plan:
        name = nodes[0].name.value
        if name == "__typename":
            return lambda source, info: kind.name
        definition = kind.fields[name]
        named = get_named_type(definition.type)
        below = (
            None if is_leaf_type(named) else (self._items if _is_list(definition.type) else self._object)(named, nodes)
        )
        required = is_non_null_type(definition.type)
        arguments = get_argument_values(definition, nodes[0], self.variable_values)
        resolve = definition.resolve

        def step(source: Any, info: GraphQLResolveInfo) -> Any:
            value = resolve(source, info, **arguments) if resolve else look_up(source, name)
            if value is None:
                if required:
                    raise GraphQLError(f"Cannot return null for non-nullable field {kind.name}.{name}.")
                return None
            return below(value, info) if below else value

        return step


def _is_list(kind: Any) -> bool:
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)
