"""HubSpot's own SDK over our session: it knows the paths, the session signs, waits and repeats."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import hubspot
import requests

from omnihub.sdk import Http


class Sent:
    """Our response in the shape the SDK reads, urllib3's. `response` is for us."""

    def __init__(self, response: requests.Response) -> None:
        self.response = response
        self.status = response.status_code
        self.reason = response.reason
        self.data = response.content
        self.headers = response.headers

    def getheaders(self) -> Mapping[str, str]:
        return self.headers

    def getheader(self, name: str, default: str | None = None) -> str | None:
        return self.headers.get(name, default)


# POSTs that may be repeated: they read, set values and links by id or by key, or take away what may be gone by then.
_HARMLESS = re.compile(
    r"/(search|batch/(read|update|upsert|archive)|gdpr-delete)$|/crm/v4/associations/.+/batch/(create|archive)$"
)


class _Pool:
    """Stands where the SDK keeps its urllib3 pool and sends through `Http`, several threads at once.

    Refusals leave here as the hub's own errors, so the SDK's exceptions, whose text holds whole bodies, never arise.
    """

    def __init__(self, http: Http) -> None:
        self.http = http

    def request(self, method: str, url: str, fields: Any = None, body: Any = None, **more: Any) -> Sent:
        sent: dict[str, Any] = {"params": fields} if method in ("GET", "HEAD") else {"data": body or fields}
        safe = bool(_HARMLESS.search(urlsplit(url).path))
        return Sent(self.http.refuse(self.http.request(method, url, headers=more.get("headers"), safe=safe, **sent)))


def _over(http: Http) -> Callable[[Any, str, Mapping[str, Any]], Any]:
    """What the SDK calls to make each of its API objects. The session signs, so the SDK knows no token."""

    def make(package: Any, api_name: str, config: Mapping[str, Any]) -> Any:
        configuration = package.Configuration()
        configuration.host = config["host"]
        api_client = package.ApiClient(configuration=configuration)
        api_client.rest_client.pool_manager = _Pool(http)
        return getattr(package, api_name)(api_client=api_client)

    return make


class Client:
    """The SDK's APIs for objects of any type and their links. Made once: the SDK makes a new one at each mention."""

    def __init__(self, settings: Mapping[str, str], http: Http) -> None:
        crm = hubspot.Client.create(host=settings["url"].rstrip("/"), api_factory=_over(http)).crm
        self.http, self.offers = http, settings.get("campaign_offers", "")
        self.basic, self.search, self.batch = crm.objects.basic_api, crm.objects.search_api, crm.objects.batch_api
        self.contacts = crm.contacts.basic_api
        self.links = crm.associations.v4.batch_api
        self.owners = crm.owners.owners_api
