"""The unprivileged user that runs PostgreSQL and Redis where `serve` is started by root.

PostgreSQL refuses to run as root. An own system user, rather than `postgres` or `nobody`, shares its files
with nobody else's programs. Permissions of folders that are not ours are never changed for it: what it cannot
reach is put elsewhere (see services.py).
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from chatproject.embedded.errors import StartError

NAME = "chatproject"


class Identity(TypedDict, total=False):
    """Arguments of subprocess.Popen that change the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """A user of this machine."""

    uid: int
    gid: int


def identity(account: Account | None) -> Identity:
    """Return what subprocess needs to run something as `account`; None is whoever we are."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def services_account() -> Account | None:
    """Return the user for the services; None means: ourselves. Root makes the system user the first time.

    Raises StartError where it cannot be made.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        make_user()
        entry = pwd.getpwnam(NAME)
    return Account(entry.pw_uid, entry.pw_gid)


def make_user() -> None:
    """Make the system user, without a home, a shell or a password."""
    command = [
        "useradd",
        "--system",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        "/usr/sbin/nologin",
        NAME,
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise StartError(
            f"PostgreSQL does not run as root, and the system user {NAME} could not be made ({error}): "
            f"make it (`useradd --system {NAME}`), start as a plain user, or set DATABASE_URL and REDIS_URL."
        ) from error


def can_enter(folder: Path, account: Account) -> bool:
    """Whether `account` may pass through `folder` and all that is above it."""
    return subprocess.run(["test", "-x", folder], cwd="/", **identity(account)).returncode == 0


def can_run(program: Path, account: Account) -> bool:
    """Whether `account` may execute `program`."""
    try:
        subprocess.run([program, "--version"], cwd="/", check=True, capture_output=True, **identity(account))
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
