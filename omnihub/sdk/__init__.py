"""All that a connector may lean on. Each of these is a value that says everything in its attributes; any of them may be
a Python function with the same signature instead.

connector   Connector, Stream, Push, Many, Nested, Setting, Row, Answer   what a connector is made of
fieldmap    Path, Codes, Link, FullName, OneWay, EpochMs, After, Less, Share, Only,
            Const                                                         raw ↔ canonical
auth        Bearer, Header, Basic, ApiKey, ClientCredentials, Refresh,
            LoginToken, JwtBearer, Login                                  how calls are signed
limits      Limit, Concurrency, Quota, Bucket, Penalty                    how often
reading     Pages, ByIds, ByIdBatch, ByKeys                               plain REST, read
paging      Cursor, LinkHeader, NextUrl, Offset, Number, Keyset           how a list goes on
writing     Send1, SendBatch, Upsert1, UpsertBatch, Link1, Sends,
            Delete1, Erase1                                               plain REST, written
graphql     GraphPages, GraphByIds, GraphSend                             GraphQL, both ways
jobs        Export, SendJob, Ask, Poll                                    work the system does while we wait
page        Page, Record, Exchange, Want, records, value_at               what a pull brings
cursors     newest, earlier, not_past                                     how far a stream has been read
reporting   Notice, Place, Seen, Standing, from there                     findings shown inside the system
http        Http, exchange, refuse                                        the one session under everything
session     open_client, open_http                                        a connector, made ready to call
"""

from omnihub.model import Entity, Op, Outcome
from omnihub.sdk.auth import (
    ApiKey,
    Basic,
    Bearer,
    ClientCredentials,
    Header,
    JwtBearer,
    Login,
    LoginToken,
    Refresh,
)
from omnihub.sdk.connector import (
    REQUESTED,
    Answer,
    Connector,
    Erase,
    Look,
    Many,
    Nested,
    Pull,
    Push,
    Row,
    Send,
    Setting,
    Stream,
)
from omnihub.sdk.fieldmap import (
    After,
    Codes,
    Const,
    Each,
    EpochMs,
    FieldMap,
    FullName,
    Joined,
    Less,
    Link,
    OneWay,
    Only,
    Path,
    Share,
)
from omnihub.sdk.graphql import GraphByIds, GraphPages, GraphSend, throttled
from omnihub.sdk.http import Http, exchange, masked, refuse
from omnihub.sdk.jobs import Ask, Export, Poll, SendJob
from omnihub.sdk.limits import Bucket, Concurrency, Level, Limit, Penalty, Quota, Rule, spending
from omnihub.sdk.page import Exchange, Page, Record, Want, dig, records, slices, value_at
from omnihub.sdk.paging import Cursor, Keyset, LinkHeader, NextUrl, Number, Offset, Place, Turned
from omnihub.sdk.reading import ByIdBatch, ByIds, ByKeys, Pages
from omnihub.sdk.session import open_client, open_http
from omnihub.sdk.turns import Turns, Windows
from omnihub.sdk.writing import (
    LATER,
    Delete1,
    Erase1,
    Link1,
    Results,
    Send1,
    SendBatch,
    Sends,
    Upsert1,
    UpsertBatch,
    each_erased,
    words,
)

__all__ = [
    "LATER",
    "REQUESTED",
    "After",
    "Answer",
    "ApiKey",
    "Ask",
    "Basic",
    "Bearer",
    "Bucket",
    "ByIdBatch",
    "ByIds",
    "ByKeys",
    "ClientCredentials",
    "Codes",
    "Concurrency",
    "Connector",
    "Const",
    "Cursor",
    "Delete1",
    "Each",
    "Entity",
    "EpochMs",
    "Erase",
    "Erase1",
    "Exchange",
    "Export",
    "FieldMap",
    "FullName",
    "GraphByIds",
    "GraphPages",
    "GraphSend",
    "Header",
    "Http",
    "Joined",
    "JwtBearer",
    "Keyset",
    "Less",
    "Level",
    "Limit",
    "Link",
    "Link1",
    "LinkHeader",
    "Login",
    "LoginToken",
    "Look",
    "Many",
    "Nested",
    "NextUrl",
    "Number",
    "Offset",
    "OneWay",
    "Only",
    "Op",
    "Outcome",
    "Page",
    "Pages",
    "Path",
    "Penalty",
    "Place",
    "Poll",
    "Pull",
    "Push",
    "Quota",
    "Record",
    "Refresh",
    "Results",
    "Row",
    "Rule",
    "Send",
    "Send1",
    "SendBatch",
    "SendJob",
    "Sends",
    "Setting",
    "Share",
    "Stream",
    "Turned",
    "Turns",
    "Upsert1",
    "UpsertBatch",
    "Want",
    "Windows",
    "dig",
    "each_erased",
    "exchange",
    "masked",
    "open_client",
    "open_http",
    "records",
    "refuse",
    "slices",
    "spending",
    "throttled",
    "value_at",
    "words",
]
