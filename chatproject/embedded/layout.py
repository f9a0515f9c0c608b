"""Where everything of one DATA_DIR lies.

DATA_DIR/
  serve.lock    held by `serve`; says its pid and address
  secrets/      generated keys and passwords
  logs/         postgres.log, redis.log
  metrics/      what the processes count, for /metrics
  services/     postgres/ (the cluster), sockets/; a link elsewhere where PostgreSQL's user cannot come
"""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from chatproject.embedded.account import Account
from chatproject.embedded.errors import StartError

# Name of the database and of its owner.
DATABASE = "chat"
# What a Unix socket's path may take (sun_path less its closing zero).
SOCKET_PATH_BYTES = 107
LONGEST_SOCKET_NAME = ".s.PGSQL.5432"


@dataclass(frozen=True)
class Layout:
    """Names of the files of one DATA_DIR (absolute); makes none of them."""

    data_dir: Path

    @property
    def lock(self) -> Path:
        return self.data_dir / "serve.lock"

    @property
    def secrets(self) -> Path:
        return self.data_dir / "secrets"

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"

    @property
    def metrics(self) -> Path:
        return self.data_dir / "metrics"

    @property
    def services_link(self) -> Path:
        return self.data_dir / "services"

    @property
    def services(self) -> Path:
        """Where the services really are: their user may be unable to follow the link."""
        return self.services_link.resolve()

    @property
    def cluster(self) -> Path:
        return self.services / "postgres"

    @property
    def sockets(self) -> Path:
        """The folder of the sockets: a short one of the machine where DATA_DIR is too long for sockets.

        The machine's is always below /tmp, whatever TMPDIR says: two terminals must agree on it.
        """
        folder = self.services / "sockets"
        if len(os.fsencode(folder / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_BYTES:
            return folder
        # make_private makes it, or finds out whether somebody else did.
        return Path("/tmp") / f"chatproject-{self.digest}"  # noqa: S108

    @property
    def digest(self) -> str:
        """A short name for this DATA_DIR, for folders outside of it."""
        return hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:16]


def make_data_dir(path: Path) -> None:
    """Make DATA_DIR unless it is there; root's lets others pass, since PostgreSQL runs as another user.

    Raises StartError where it cannot be made, cannot be written, or was used by another user before.
    """
    try:
        path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(
            f"DATA_DIR {path} cannot be made ({error.strerror}): set DATA_DIR to another folder."
        ) from error
    lock = Layout(path).lock
    if not os.access(path, os.W_OK) or (lock.exists() and lock.stat().st_uid != os.geteuid()):
        raise StartError(
            f"DATA_DIR {path} belongs to another user: run as that user, or set DATA_DIR to another folder."
        )


def make_private(folder: Path, account: Account | None = None) -> None:
    """Make a 0700 folder for this user, or for `account`, unless it is there.

    Raises StartError where it is there and somebody else owns it or may look into it: others can make
    folders beforehand in a place like /tmp.
    """
    try:
        folder.mkdir(mode=0o700)
        if account:
            os.chown(folder, account.uid, account.gid)
    except FileExistsError:
        check_private(folder, account)


def check_private(path: Path, account: Account | None = None) -> None:
    """Raise StartError unless `path` is real, belongs to this user (or to `account`), and only to them."""
    found = path.lstat()
    owner = account.uid if account else os.geteuid()
    if stat.S_ISLNK(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) & 0o077:
        raise StartError(
            f"{path} must belong to uid {owner} and be closed to others: "
            f"`chown -R {owner} {path}` and `chmod -R go= {path}`, or set DATA_DIR to another folder."
        )
