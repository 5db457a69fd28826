"""The server's own routes."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.requests import Request

import streamlit_app

ROOT = Path(streamlit_app.__file__).parent


@pytest.mark.parametrize(
    ("query", "target"), [(b"", "/"), (b"model=abc&data=d-p", "/?model=abc&data=d-p")]
)
def test_upload_is_the_first_page_by_another_name(query, target):
    scope = {"type": "http", "method": "GET", "path": "/upload", "query_string": query,
             "headers": [(b"host", b"127.0.0.1")], "server": ("127.0.0.1", 8501)}  # fmt: skip
    # In a thread of its own: a browser test before it may have left this one's event loop running.
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(asyncio.run, streamlit_app.upload(Request(scope))).result()
    assert answer.status_code == 307
    assert answer.headers["location"] == target


def test_the_first_page_imports_nothing_to_draw_charts_with():
    code = (
        "import sys, streamlit_app\n"
        "import pages.components.header, pages.components.memory, pages.components.upload.sides\n"
        "print([m for m in ('pandas', 'altair') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.stdout.strip().endswith("[]"), done.stdout + done.stderr[-2000:]


def over(scopes: list[dict], now: float) -> bool:
    """Whether the first visit is over at ``now``, after requests that came at their ``at``."""
    at = [0.0]
    visit = streamlit_app.FirstVisit(lambda: at[0])

    async def app(scope, receive, send):
        if scope.get("told"):
            await send({"type": "websocket.send"})

    async def ignore(message):
        pass

    watching = streamlit_app.Watching(app, visit)
    for scope in scopes:
        at[0] = scope["at"]
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, watching(scope, None, ignore)).result()
    at[0] = now
    return visit.over()


PAGE = {"type": "http", "path": "/", "at": 1.0}
HEALTH = {"type": "http", "path": "/_stcore/health", "at": 1.0}
TOLD = {"type": "websocket", "path": "/_stcore/stream", "told": True, "at": 6.0}
SILENT = {"type": "websocket", "path": "/_stcore/stream", "at": 6.0}
AGAIN = TOLD | {"at": 7.9}


@pytest.mark.parametrize(
    ("scopes", "over_at"),
    [
        ([], 2.5),
        ([HEALTH], 2.5),
        ([PAGE], 21.0),
        ([PAGE, SILENT], 21.0),
        ([PAGE, TOLD], 8.0),
        ([PAGE, TOLD, AGAIN], 8.0),
    ],
)
def test_the_first_visit_is_over_when_its_page_is_drawn(scopes, over_at):
    assert not over(scopes, over_at - 0.01)
    assert over(scopes, over_at)


def test_a_connection_to_a_socket_that_does_not_name_tcp_answers_at_once():
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, _delay_of_a_connection(changed=False)).result() == 0
        assert thread.submit(asyncio.run, _delay_of_a_connection(changed=True)).result() != 0


async def _delay_of_a_connection(*, changed: bool) -> int:
    """``TCP_NODELAY`` of a connection that a server accepted on a socket bound beforehand."""
    loop = asyncio.get_running_loop()
    if changed:
        streamlit_app.answer_at_once(loop)
    accepted = loop.create_future()

    class Reports(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            connection = transport.get_extra_info("socket")
            accepted.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            transport.close()

    with socket.socket(socket.AF_INET) as bound:
        bound.bind(("127.0.0.1", 0))
        server = await loop.create_server(Reports, sock=bound)
        with socket.create_connection(bound.getsockname()):
            found = await accepted
        server.close()
        return int(found)
