"""Where the demos' data comes from: Debian packages, installed or fetched and unpacked."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from pruning.errors import NotFoundError


def package_files(package: str, folder: str, cache: Path) -> Path:
    """Find ``/usr/share/<folder>`` of a Debian package; fetch the package if it is not installed.

    Args:
        package: Name of the Debian package.
        folder: Folder below ``/usr/share`` that the package fills.
        cache: Where packages are unpacked; nothing is installed.

    Raises:
        NotFoundError: Not installed, and ``apt-get`` or ``dpkg-deb`` cannot fetch it.
    """
    installed = Path("/usr/share") / folder
    if installed.exists():
        return installed
    unpacked = cache / package
    if not (unpacked / "usr/share" / folder).exists():
        _fetch(package, unpacked)
    return unpacked / "usr/share" / folder


def _fetch(package: str, target: Path) -> None:
    """Download a package as the current user and unpack it to ``target``."""
    with tempfile.TemporaryDirectory() as downloads:
        try:
            subprocess.run(["apt-get", "download", package], cwd=downloads, check=True)
            archive = next(Path(downloads).glob("*.deb"))
            target.mkdir(parents=True, exist_ok=True)
            subprocess.run(["dpkg-deb", "--extract", str(archive), str(target)], check=True)
        except (OSError, subprocess.CalledProcessError, StopIteration) as error:
            shutil.rmtree(target, ignore_errors=True)
            raise NotFoundError(
                f"The Debian package {package} is not installed and could not be fetched.",
                expected="Debian or a relative of it, with a package mirror in reach.",
                fix=f"Run apt-get install {package} as root, then build again.",
            ) from error
