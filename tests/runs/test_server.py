"""The server of ``streamlit_app.py``: its headers, and that it stays free of TensorFlow."""

import asyncio
import subprocess
import sys

import pytest

from pruning.runs import jobs, processes

MODULES = ("executor", "status", "library", "record", "worker", "folder", "processes")


def answer(scope_type: str, headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers of an answer that an application starts with ``headers``, as the browser gets it."""
    import streamlit_app

    sent = []

    async def application(scope, receive, send) -> None:
        await send({"type": f"{scope_type}.response.start", "status": 200, "headers": headers})

    async def send(message) -> None:
        sent.append(message)

    handler = streamlit_app.SecurityHeaders(application)
    asyncio.run(handler({"type": scope_type}, None, send))
    return {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}


def test_every_answer_has_the_security_headers() -> None:
    headers = answer("http", [(b"content-type", b"text/plain")])
    assert headers["content-type"] == "text/plain"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert "object-src 'none'" in headers["content-security-policy"]


def test_an_answers_own_header_stays() -> None:
    assert answer("http", [(b"referrer-policy", b"no-referrer")])["referrer-policy"] == (
        "no-referrer"
    )


def test_web_sockets_pass_untouched() -> None:
    assert answer("websocket", [(b"a", b"b")]) == {"a": "b"}


def test_the_server_is_the_frame_in_pages() -> None:
    import streamlit_app

    assert streamlit_app.app.script_path.parts[-2:] == ("pages", "frame.py")
    assert streamlit_app.app.script_path.is_file()


@pytest.mark.parametrize("module", MODULES)
def test_runs_import_no_tensorflow(module: str) -> None:
    code = (
        f"import sys, pruning.runs.{module}\n"
        "from pruning.runs import jobs\n"
        "[jobs.job(kind) for kind in jobs.kinds()]\n"
        "print([m for m in ('tensorflow', 'keras', 'tf_keras', 'h5py') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=processes.environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", jobs.kinds())
def test_every_job_is_named_like_its_file(kind: str) -> None:
    assert jobs.job(kind).kind == kind


def test_an_unknown_job_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown job 'cook'"):
        jobs.job("cook")
