"""Errors, named for what to do next.

    OmniHubError
    ├── ConfigError         a person must change a setting; running again will not help
    ├── RetryableError      the same call may work later: nothing is known to be wrong with it
    │   └── RateLimited     … not before `wait_s` seconds have passed
    │       └── QuotaSpent  … the day's calls are used up: nothing is wrong, it goes on at `until`
    ├── RejectedRecord      the system will never take this; it becomes a dead letter
    ├── BrokenAnswer        the system answered something its contract does not allow
    └── UnsafePlan          a guard stopped a plan; a person may approve it

Every message names the system, the record or stream, and the way out. None carries personal data or a secret.
"""

from __future__ import annotations

from datetime import datetime


class OmniHubError(Exception):
    """Whatever OmniHub raises on purpose."""


class ConfigError(OmniHubError):
    """A setting is missing or wrong. Says which one and how to put it right."""


class RetryableError(OmniHubError):
    """The call may work when made again: a time-out, a dropped connection, a 5xx."""


class RateLimited(RetryableError):
    """The system asks for patience.

    `wait_s` is how long, in seconds, where the system says so.
    """

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class QuotaSpent(RateLimited):
    """All the calls a system allows for now have been made. No failure: what was read and written stays, and the rest
    goes on at `until`."""

    def __init__(self, message: str, until: datetime, wait_s: float | None = None) -> None:
        super().__init__(message, wait_s)
        self.until = until


class RejectedRecord(OmniHubError):
    """The system refused what was sent and will refuse it again.

    `status` is the HTTP status, `code` the vendor's own error code, `body` the answer's bytes (kept for the
    receipt, never logged).
    """

    def __init__(self, message: str, *, status: int = 0, code: str = "", body: bytes = b"") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.body = body


class BrokenAnswer(OmniHubError):
    """The answer is not what the contract says: cut short, HTML for JSON, a page that points to itself."""


class UnsafePlan(OmniHubError):
    """A guard stopped this plan. Says which limit, how many, and which approval lets it pass."""
