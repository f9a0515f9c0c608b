"""Node's packages for the Socket.IO server: fetched once by npm, into a cache folder outside the repository."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent / "socketio"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chatproject-bench"
INSTALL = ("npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
INSTALL_SECONDS = 120


class Missing(RuntimeError):
    """Node, npm or the packages cannot be had; says why."""


def packages() -> Path:
    """The folder `node_modules` with what package.json names. Raises Missing."""
    if not (shutil.which("node") and shutil.which("npm")):
        raise Missing("there is no node or no npm here (apt-get install nodejs npm)")
    wanted = FOLDER / "package.json"
    folder = CACHE / hashlib.sha256(wanted.read_bytes()).hexdigest()[:16]
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(wanted, folder)
        _install(folder)
        (folder / "complete").touch()
    return folder / "node_modules"


def _install(folder: Path) -> None:
    try:
        done = subprocess.run(INSTALL, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise Missing(f"npm did not answer within {INSTALL_SECONDS} s") from error
    if done.returncode:
        raise Missing(f"npm could not install: {done.stderr.strip()[-300:]}")
