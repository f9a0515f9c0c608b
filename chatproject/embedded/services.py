"""Starting the embedded services of one DATA_DIR, as whoever may run them, where they may be."""

import os
import tempfile
from pathlib import Path

from chatproject import embedded
from chatproject.embedded import postgres, redis_server
from chatproject.embedded.account import Account, can_enter, can_run, services_account
from chatproject.embedded.errors import StartError
from chatproject.embedded.layout import Layout, check_private, make_private
from chatproject.embedded.secretfiles import ensure_secrets
from chatproject.embedded.supervisor import Supervisor

# Where the services of a root's DATA_DIR go when their account cannot come to it, as in /root.
ELSEWHERE = Path("/var/lib/chatproject")


def prepare(layout: Layout) -> None:
    """Make the private folders and the secrets of a DATA_DIR, whichever services are to run."""
    for folder in (layout.logs, layout.metrics):
        make_private(folder)
    ensure_secrets(layout)


def start_services(
    supervisor: Supervisor, layout: Layout, *, with_postgres: bool = True, with_redis: bool = True
) -> None:
    """Start PostgreSQL and Redis, or one of them, as children of `supervisor`, and return when they answer.

    Raises StartError where one cannot run.
    """
    if not (with_postgres or with_redis):
        return
    account = services_account()
    make_services(supervisor, layout, account)
    make_private(layout.sockets, account)
    if with_postgres:
        start_postgres(supervisor, layout, account)
    if with_redis:
        start_redis(supervisor, layout, account)


def make_services(supervisor: Supervisor, layout: Layout, account: Account | None) -> None:
    """Make the folder of the services: in DATA_DIR, or a link to one that their account can enter."""
    link = layout.services_link
    if link.is_symlink() or link.exists():
        check_services(link)
    elif account is None or can_enter(layout.data_dir, account):
        link.mkdir(mode=0o711 if account else 0o700)
    else:
        folder = make_elsewhere(layout)
        link.symlink_to(folder)
        supervisor.progress.say(
            f"  PostgreSQL does not run as root, and its user cannot enter {layout.data_dir}: its data is in {folder}"
        )


def make_elsewhere(layout: Layout) -> Path:
    """Make a folder in ELSEWHERE that no other DATA_DIR, of now or before, has had."""
    ELSEWHERE.mkdir(mode=0o711, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{layout.digest}-", dir=ELSEWHERE))
    folder.chmod(0o711)
    (folder / "DATA_DIR").write_text(f"{layout.data_dir}\n")
    return folder


def check_services(folder: Path) -> None:
    """Raise StartError unless the folder (and what a link points to) is there and ours."""
    if not folder.exists():
        raise StartError(
            f"{folder} points to {folder.readlink()}, which is gone: put it back, or set another DATA_DIR."
        )
    if {folder.lstat().st_uid, folder.stat().st_uid} != {os.geteuid()}:
        raise StartError(f"{folder} belongs to another user: run as that user, or set DATA_DIR to another folder.")


def start_postgres(supervisor: Supervisor, layout: Layout, account: Account | None) -> None:
    """Start PostgreSQL; make its cluster the first time."""
    programs = postgres.installed()
    if account and not can_run(programs / "bin" / "postgres", account):
        programs = postgres.copy_installation(programs, layout.services)
    if not layout.cluster.exists():
        with supervisor.progress.step("PostgreSQL: making the database, this once"):
            postgres.make_cluster(supervisor, layout, programs, account)
    check_private(layout.cluster, account)
    with supervisor.progress.step("PostgreSQL: starting"):
        postgres.start(supervisor, layout, programs, account, embedded.urls(layout.data_dir)[0])


def start_redis(supervisor: Supervisor, layout: Layout, account: Account | None) -> None:
    """Start Redis."""
    program = redis_server.installed()
    if account and not can_run(program, account):
        program = redis_server.copy_program(program, layout.services)
    with supervisor.progress.step("Redis: starting"):
        redis_server.start(supervisor, layout, program, account, embedded.urls(layout.data_dir)[1])
