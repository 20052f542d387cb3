"""A server that costs next to nothing: pages of made-up records, built before anybody asks."""

from __future__ import annotations

import asyncio
import json
import re

from tests.bench.measure import tell

PAGE = 250
PATH = "/things"
ASKED = re.compile(rb"[?&]cursor=(\d+)")

NOTE = "Prefers to be called in the morning; ordered spare parts in spring and asked for a quote about a second press. "


def record(n: int) -> dict[str, object]:
    """About 700 bytes, as a CRM's contact has."""
    return {
        "id": f"{n:08d}",
        "updated_at": f"2026-{1 + n // 60_000 % 12:02d}-{1 + n // 2_000 % 28:02d}T{n // 100 % 24:02d}:{n % 60:02d}:00Z",
        "first_name": f"Annegret{n % 977}",
        "last_name": f"Müller-Weber{n % 1013}",
        "email": f"annegret.mueller{n}@firma-{n % 5003}.example",
        "phone": f"+49301{n:08d}",
        "job_title": "Head of Purchasing",
        "address": {
            "street": f"Industriestraße {n % 311}",
            "postal_code": f"{n % 99_999:05d}",
            "city": "Mönchengladbach",
            "country": "DE",
        },
        "tags": ["customer", "newsletter", f"segment-{n % 7}"],
        "note": NOTE * 2,
    }


def built(records: int) -> list[bytes]:
    """Whole HTTP answers, page by page; each names the next."""
    answers = []
    for start in range(0, records, PAGE):
        following = str(start // PAGE + 1) if start + PAGE < records else None
        items = [record(n) for n in range(start, min(start + PAGE, records))]
        body = json.dumps({"items": items, "next": following}, ensure_ascii=False).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        answers.append(head.encode() + body)
    return answers


class _Answering(asyncio.Protocol):
    """Answers each request with a prebuilt page. Requests are small: one arrives in one piece."""

    def __init__(self, answers: list[bytes]) -> None:
        self.answers = answers
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        asked = ASKED.search(data)
        assert self.transport
        self.transport.write(self.answers[int(asked[1]) if asked else 0])


def serve(records: int) -> None:
    """Tell the address, then answer for ever."""

    async def forever() -> None:
        answers = built(records)
        server = await asyncio.get_running_loop().create_server(lambda: _Answering(answers), "127.0.0.1", 0)
        tell(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await server.serve_forever()

    asyncio.run(forever())
