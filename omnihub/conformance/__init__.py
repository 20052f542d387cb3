"""Conformance: what the hub asks of a connector, tried on it over real HTTP with everything that goes wrong out there.

rules      a rule, and how a connector may stand to it        samples   records made from the field maps
trial      one connector, its stand-in, an empty hub          wire      what lies between, seen and bent
reading    rules on what comes in                             trouble   … when the other side fails
writing    rules on what goes out                             mutants   broken connectors, one for each rule

`check(connector, standin)` tries every rule. Each rule gets a fresh hub and a freshly seeded stand-in, so the order
does not matter and one broken rule says nothing about the next.
"""

from omnihub.conformance.rules import RULES, Broken, NotForThis, Rule, Verdict
from omnihub.conformance.suite import check

__all__ = ["RULES", "Broken", "NotForThis", "Rule", "Verdict", "check"]
