"""The server: ``streamlit run streamlit_app.py``.

The frame is a script of its own inside ``pages/``: with a script beside a ``pages/`` folder,
Streamlit would run a page without its frame on a first visit to a deep link.
"""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A browser has drawn its first page so long after the server's first word about it.
DRAWN_SECONDS = 2.0
# Nobody will have asked for a page in this time, or will open the one that was fetched.
UNASKED_SECONDS, UNOPENED_SECONDS = 2.5, 20.0
LOOK_SECONDS = 0.1

# What the frame and the first page are made of.
FIRST_PAGE = ("pages.components.header", "pages.components.upload.sides")

# Streamlit styles its elements inline and Vega compiles expressions; everything else is from here.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' ws: wss: data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


class SecurityHeaders:
    """Adds the headers to every answer; web sockets pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class FirstVisit:
    """Whether the first page is out: until then the cores are the browser's.

    It compiles Streamlit's scripts on a first visit, for one second or for three, as fast as the
    machine is.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.began = clock()
        self.asked: float | None = None
        self.answered: float | None = None

    def ask(self) -> None:
        """A page is fetched, or a part of one."""
        self.asked = self.asked or self.clock()

    def answer(self) -> None:
        """A browser is told what is on its page."""
        self.answered = self.answered or self.clock()

    def over(self) -> bool:
        """Whether a page has been drawn, or nobody waits for one."""
        now = self.clock()
        if self.answered is not None:
            return now - self.answered >= DRAWN_SECONDS
        if self.asked is not None:
            return now - self.asked >= UNOPENED_SECONDS
        return now - self.began >= UNASKED_SECONDS


class Watching:
    """Tells a visit of requests for pages, and of answers to a browser that has one."""

    def __init__(self, app: ASGIApp, visit: FirstVisit) -> None:
        self.app, self.visit = app, visit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or web socket."""
        if scope["type"] == "http" and not scope["path"].startswith("/_stcore/"):
            self.visit.ask()

        async def send_and_tell(message: Message) -> None:
            if message["type"] == "websocket.send":
                self.visit.answer()
            await send(message)

        waits = scope["type"] == "websocket" and self.visit.answered is None
        await self.app(scope, receive, send_and_tell if waits else send)


@asynccontextmanager
async def lifespan(app: object) -> AsyncIterator[None]:
    """Look after the runs; once the first page is out, import what the others draw with.

    The server listens before it has imported anything of the studio: a browser takes longer to
    fetch and compile Streamlit's own scripts.
    """
    answer_at_once(asyncio.get_running_loop())
    visit.began = visit.clock()
    quiet = threading.Event()
    async with AsyncExitStack() as running:
        begun = asyncio.create_task(_begin(running, app, quiet))
        drawing = asyncio.create_task(_prepare_drawing(quiet))
        try:
            yield
        finally:
            drawing.cancel()
            await begun


async def _begin(running: AsyncExitStack, app: object, quiet: threading.Event) -> None:
    executor = await asyncio.to_thread(import_module, "pruning.runs.executor")
    await running.enter_async_context(executor.lifespan(app, quiet))
    for name in FIRST_PAGE:
        await asyncio.to_thread(import_module, name)


async def _prepare_drawing(quiet: threading.Event) -> None:
    while not visit.over():
        await asyncio.sleep(LOOK_SECONDS)
    await asyncio.to_thread(import_module, "pruning.charts.samples")
    quiet.set()


def answer_at_once(loop: asyncio.AbstractEventLoop) -> None:
    """Send every answer as soon as it is written (``TCP_NODELAY``), on servers yet to be made.

    Streamlit binds its socket without naming TCP, and asyncio sets the option only where TCP is
    named (https://github.com/Kludex/uvicorn/issues/3149). Without it the kernel holds a small
    answer back until the browser has acknowledged the one before, up to 40 ms on Linux: at each
    file, and at each element of a page. Accepted connections have the option of the bound socket.
    """
    create_server = loop.create_server

    async def create(*args: Any, sock: socket.socket | None = None, **options: Any) -> Any:
        if sock is not None and sock.family in {socket.AF_INET, socket.AF_INET6}:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return await create_server(*args, sock=sock, **options)

    if isinstance(loop, asyncio.BaseEventLoop):  # another kind need not let itself be changed
        loop.create_server = create  # type: ignore[method-assign]


async def upload(request: Request) -> RedirectResponse:
    """The first page is at ``/``; a link to ``/upload`` means it too, with all that it names."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/{query}")


visit = FirstVisit()
app = st.App(
    Path(__file__).parent / "pages" / "frame.py",
    routes=[Route("/upload", upload)],
    middleware=[Middleware(SecurityHeaders), Middleware(Watching, visit=visit)],
    lifespan=lifespan,
)

if __name__ == "__main__":
    app.run()
