"""The state of a run as a word, a colour and a symbol."""

from __future__ import annotations

_LOOKS: dict[str, tuple[str, str]] = {
    "queued": ("gray", "schedule"),
    "running": ("blue", "play_arrow"),
    "cancelling": ("orange", "stop_circle"),
    "done": ("green", "check_circle"),
    "failed": ("red", "error"),
    "cancelled": ("gray", "cancel"),
    "killed": ("red", "heart_broken"),
    "damaged": ("red", "broken_image"),
}


def badge(state: str) -> str:
    """Markdown of a state: never the colour alone."""
    color, icon = _LOOKS[state]
    return f":{color}-badge[:material/{icon}: {state}]"
