"""The screenshots of README and guide, taken from the studio itself.

Run: ``python docs/screenshots.py [name …]``. Needs the development requirements and chromium on the
path. Starts a studio over an empty home folder on a free port, opens the image demo, retrains
it for one epoch, and writes ``docs/images/<name>.png``: 1400 pixels wide, at most 250 kB each. Two
minutes on a quiet machine.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
WIDE, NARROW = (1400, 1000), (420, 900)  # pixels
MAX_BYTES = 250_000
COLOURS = (256, 192, 128, 96, 64)  # tried in turn until the file is small enough
PATIENCE_MS = 300_000  # against hanging, far above what a busy machine needs
DRAWN_MS = 1500  # charts and tables appear a moment after the script has run


@dataclass(frozen=True)
class Shot:
    """One picture.

    Attributes:
        page: Path of the page, before the query.
        ready: Selector of what has to be there.
        retraining: Taken while the run is going on, not after it.
    """

    name: str
    page: str
    ready: str
    theme: str = "light"
    size: tuple[int, int] = WIDE
    retraining: bool = False


SHOTS = (
    Shot("upload-light", "/", ".st-key-baseline"),
    Shot("layers-light", "/layers", "[data-testid='stGraphVizChart'] svg"),
    Shot("strategy-dark", "/strategy", ".st-key-price", theme="dark"),
    Shot("retraining-light", "/retraining", "[data-testid='stVegaLiteChart']", retraining=True),
    Shot("comparison-light", "/comparison", ".st-key-figures"),
    Shot("runs-dark", "/runs", "[data-testid='stDataFrame']", theme="dark"),
    Shot("comparison-narrow", "/comparison", ".st-key-figures", size=NARROW),
)


@contextmanager
def studio(home: str) -> Iterator[str]:
    """A server of its own. -> its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    server = subprocess.Popen(
        [*command, "--server.port", str(port), "--server.headless", "true"],
        cwd=ROOT,
        env={**os.environ, "PRUNING_STUDIO_HOME": home},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_healthy(address)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_until_healthy(address: str) -> None:
    """Return once the server answers.

    Raises:
        TimeoutError: It does not.
    """
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
                if answer.read() == b"ok":
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError(f"No studio at {address}.")


def settle(page: Page) -> None:
    """Wait until the page's script has run."""
    connected = "[data-testid='stApp'][data-test-connection-state='CONNECTED']"
    page.wait_for_selector(connected, timeout=PATIENCE_MS)
    page.wait_for_selector("[data-test-script-state='notRunning']", timeout=PATIENCE_MS)


def open_demo(page: Page, address: str) -> str:
    """Open the image demo and wait for its baseline. -> the query that names model and data."""
    page.goto(address)
    settle(page)
    page.locator(".st-key-demo_image").get_by_role("button").click()
    page.wait_for_selector(".st-key-baseline", timeout=PATIENCE_MS)
    settle(page)
    return page.url.partition("?")[2]


def start_run(page: Page, address: str, query: str) -> str:
    """Start one epoch with the strategy page's defaults. -> the query that names the run."""
    page.goto(f"{address}/strategy?{query}")
    page.wait_for_selector(".st-key-plan_epochs input", timeout=PATIENCE_MS)
    settle(page)
    epochs = page.locator(".st-key-plan_epochs input")
    epochs.fill("1")
    epochs.press("Enter")
    settle(page)
    page.locator(".st-key-start").get_by_role("button").click()
    page.wait_for_url(re.compile(r"/retraining\?.*run="), timeout=PATIENCE_MS)
    return page.url.partition("?")[2]


def take(browser: Browser, address: str, query: str, shot: Shot) -> None:
    """Open a page in a window of its own and write its picture."""
    width, height = shot.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if shot.theme == "dark" else "light",
        device_scale_factor=1,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{address}{shot.page}?{query}")
    page.wait_for_selector(shot.ready, timeout=PATIENCE_MS)
    if not shot.retraining:  # a live page's script never rests for long
        settle(page)
        working = page.locator("[data-testid='stProgress']")  # a job that the page has done
        working.first.wait_for(state="detached", timeout=PATIENCE_MS)
        settle(page)
    page.wait_for_timeout(DRAWN_MS)
    write(page.screenshot(), IMAGES / f"{shot.name}.png")
    context.close()


def write(picture: bytes, path: Path) -> None:
    """Save a picture as it is, or with as many colours as its size allows.

    Raises:
        ValueError: Even with few colours it is too large.
    """
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in (None, *COLOURS):
        stream = io.BytesIO()
        # Maximum coverage keeps the rare colours: a mark, a logo.
        few = image.quantize(colours, Image.Quantize.MAXCOVERAGE) if colours else image
        few.save(stream, "PNG", optimize=True)
        if stream.tell() <= MAX_BYTES:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(stream.getvalue())
            print(f"{path.relative_to(ROOT)}: {image.width}×{image.height}, {stream.tell():,} B")
            return
    raise ValueError(f"{path.name} has more than {MAX_BYTES:,} bytes.")


def main(names: list[str]) -> None:
    """Take the pictures of these names, or all of them."""
    wanted = [shot for shot in SHOTS if not names or shot.name in names]
    found = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    chromium = next(filter(None, found), None)
    with (
        tempfile.TemporaryDirectory() as home,
        studio(home) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDE[0], "height": WIDE[1]})
        opened = open_demo(page, address)
        query = start_run(page, address, opened)
        for shot in sorted(wanted, key=lambda shot: not shot.retraining):
            if not shot.retraining:
                done = page.get_by_role("link", name="See before and after")
                done.wait_for(timeout=PATIENCE_MS)
            # A page before the run is shown as one finds it there: without a run.
            take(browser, address, opened if shot.page in ("/", "/layers") else query, shot)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
