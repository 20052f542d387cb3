"""The outside: one file per system, found by itself.

    connectors/acme.py                one attribute counts: connector = Connector("acme", …)
    connectors/acme/__init__.py       the same, grown into a folder
    connectors/acme/sandbox.py        … because it brings its stand-in: class Acme(Standin); without one, what is
                                      declared of it is enough to derive one

    salesforce   CRM                        zendesk      tickets, customer service
    hubspot      marketing automation       thingsboard  industrial internet platform
    shopify      e-commerce                 portal       the company's own customer portal
    airtable     master data: products and prices, read and never written

    files        CSV, JSONL, JSON, Parquet and Excel        templates: their systems are declared in omnihub.yaml
    database     tables and queries of any SQL database     alone, with template = Template("files", …) for connector

A connector leans on `omnihub.sdk` and on its vendor's SDK; it knows neither the store nor Dagster.
"""

from __future__ import annotations

import importlib
import pkgutil
import traceback
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from omnihub.errors import ConfigError
from omnihub.sdk import Connector
from omnihub.sdk.checked import troubles
from omnihub.sdk.declared import Template
from omnihub.sdk.lines import Source, hint

if TYPE_CHECKING:
    from omnihub.sandbox.kit import Standin


def find(package: str = __name__) -> dict[str, Connector]:
    """Every connector there is, by name, in the order of the alphabet.

    ConfigError names the file that does not load, or whose connector is not one; in a connector that is not soundly
    declared, each thing that is wrong, with its line and what was probably meant.
    """
    return {name: found for name in _names(package) if (found := _connector(package, name)) is not None}


def templates(package: str = __name__) -> dict[str, Template]:
    """The kinds of systems that omnihub.yaml can declare without code, by name."""
    found = {name: getattr(_load(package, name), "template", None) for name in _names(package)}
    return {name: template for name, template in found.items() if isinstance(template, Template)}


def standins(package: str = __name__) -> dict[str, type[Standin]]:
    """The stand-ins of the connectors, by system: those that come with them, else derived from what they declare.

    One whose streams are Python functions and that brings none has none. Nothing is loaded before this is called.
    """
    found = {name: _own_or_derived(package, name) for name in _names(package)}
    return {name: standin for name, standin in found.items() if standin is not None}


def _own_or_derived(package: str, name: str) -> type[Standin] | None:
    if _has_sandbox(package, name):
        return _standin(_load(package, f"{name}.sandbox"))
    connector = _connector(package, name)
    if connector is None:
        return None
    from omnihub.sandbox.derived import derivable, derive  # late, for the same reason as below

    return derive(connector) if derivable(connector) else None


def _names(package: str) -> list[str]:
    folder = importlib.import_module(package).__path__
    return sorted(module.name for module in pkgutil.iter_modules(folder) if not module.name.startswith("_"))


def _has_sandbox(package: str, name: str) -> bool:
    is_folder = hasattr(_load(package, name), "__path__")
    return is_folder and find_spec(f"{package}.{name}.sandbox") is not None


def _connector(package: str, name: str) -> Connector | None:
    module = _load(package, name)
    found = getattr(module, "connector", None)
    if found is None:
        return None
    if not isinstance(found, Connector):
        raise ConfigError(f"{_short(module)}: `connector` is {type(found).__name__}; write connector = Connector(…)")
    if found.name != name:
        raise ConfigError(
            f"{_short(module)}: its connector is named {found.name!r}; name it {name!r} like its file, "
            "settings and refs are found by that name"
        )
    _refuse_unsound(module, found)
    return found


def _refuse_unsound(module: ModuleType, connector: Connector) -> None:
    wrong = troubles(connector)
    if wrong:
        source = Source(Path(str(module.__file__)).read_text(encoding="utf-8"))
        lines = [(source.line(one.stream, one.key, one.word), str(one)) for one in wrong]
        raise ConfigError("\n".join(f"{_short(module)}:{line}: {says}" for line, says in sorted(lines)))


def _standin(module: ModuleType) -> type[Standin]:
    from omnihub.sandbox.kit import Standin  # brings a web server along, which who only pulls does not need

    own = {  # a set: the class may have a second name, as in `standin = Acme`
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Standin) and value.__module__ == module.__name__
    }
    if len(own) != 1:
        raise ConfigError(f"{_short(module)}: has {len(own)} stand-ins; write exactly one class that is a Standin")
    return own.pop()


def _load(package: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(f"{package}.{name}")
    except Exception as error:  # a file may fail in any way; which one it is, is what helps
        where = _where(error, package) or f"{package}/{name.replace('.', '/')}"
        raise ConfigError(f"{where}: does not load: {type(error).__name__}: {error}{hint(error)}") from error


def _where(error: Exception, package: str) -> str | None:
    """The file and line of the connector that the error comes from, not of what the connector called."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_tail(error.filename, package)}:{error.lineno}"
    inside = [
        f"{_tail(frame.filename, package)}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if f"/{package}/" in Path(frame.filename).as_posix() and frame.filename != __file__
    ]
    return inside[-1] if inside else None


def _tail(filename: str, package: str) -> str:
    return f"{package}/{Path(filename).as_posix().rpartition(f'/{package}/')[2]}"


def _short(module: ModuleType) -> str:
    return _tail(str(module.__file__), module.__name__.partition(".")[0])
