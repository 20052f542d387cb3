"""Derived: a working stand-in for a declared connector, made from its declaration alone.

    shape        what its records look like, out of the field map taken the other way round
    lists        slices of a stream: filters, positions, cursors
    reading      pull, look, find  ┐
    writing      update, create …  ├ one operation for each declared value      (operations)
    entrance     auth              ┘
    standin      all of it as a `Standin`, with quotas, state and refusals
    samples      plausible records, where there is no world to seed it from

What a declaration cannot say (what a parameter means, how an error looks) is guessed, and each guess is listed in the
class's `guesses`. What is written as a Python function says nothing of itself, so it is not served.
"""

from omnihub.sandbox.derived.standin import Derived, derivable, derive

__all__ = ["Derived", "derivable", "derive"]
