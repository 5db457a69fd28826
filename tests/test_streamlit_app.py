"""The server's own routes."""

from __future__ import annotations

import asyncio
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
