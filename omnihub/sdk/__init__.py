"""All that a connector may lean on.

connector   Connector, Stream, Push, Setting, Row, Answer     what a connector is made of
fieldmap    Path, Codes, Link, FullName, OneWay, EpochMs, Const   raw ↔ canonical
auth        Bearer, Header, Basic, Login, ClientCredentials    how calls are signed
limits      Limit                                              how often
rest        Pages, ByIds, ByIdBatch, Send1, SendBatch, Cursor …  plain REST, declared
page        Page, Record, Exchange, Want, records, value_at    what a pull brings
http        Http, exchange, refuse                             the one session under everything
session     open_client, open_http                             a connector and its settings, made ready to call
"""

from omnihub.model import Entity, Op, Outcome
from omnihub.sdk.auth import Basic, Bearer, ClientCredentials, Header, Login
from omnihub.sdk.connector import Answer, Connector, Look, Many, Nested, Pull, Push, Row, Send, Setting, Stream
from omnihub.sdk.fieldmap import Codes, Const, EpochMs, FieldMap, FullName, Link, OneWay, Path
from omnihub.sdk.http import Http, exchange, masked, refuse
from omnihub.sdk.limits import Limit, Windows
from omnihub.sdk.page import Exchange, Page, Record, Want, records, slices, value_at
from omnihub.sdk.rest import ByIdBatch, ByIds, Cursor, Number, Offset, Pages, Send1, SendBatch, words
from omnihub.sdk.session import open_client, open_http

__all__ = [
    "Answer",
    "Basic",
    "Bearer",
    "ByIdBatch",
    "ByIds",
    "ClientCredentials",
    "Codes",
    "Connector",
    "Const",
    "Cursor",
    "Entity",
    "EpochMs",
    "Exchange",
    "FieldMap",
    "FullName",
    "Header",
    "Http",
    "Limit",
    "Link",
    "Login",
    "Look",
    "Many",
    "Nested",
    "Number",
    "Offset",
    "OneWay",
    "Op",
    "Outcome",
    "Page",
    "Pages",
    "Path",
    "Pull",
    "Push",
    "Record",
    "Row",
    "Send",
    "Send1",
    "SendBatch",
    "Setting",
    "Stream",
    "Want",
    "Windows",
    "exchange",
    "masked",
    "open_client",
    "open_http",
    "records",
    "refuse",
    "slices",
    "value_at",
    "words",
]
