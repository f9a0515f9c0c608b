"""The embedded PostgreSQL and Redis, and the files of a DATA_DIR."""

import base64
import os
import pwd
import shutil
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chatproject import embedded
from chatproject.embedded import postgres, redis_server
from chatproject.embedded.account import Account
from chatproject.embedded.errors import StartError
from chatproject.embedded.layout import SOCKET_PATH_BYTES, Layout, make_data_dir, make_private
from chatproject.embedded.lock import locked
from chatproject.embedded.progress import Progress
from chatproject.embedded.secretfiles import ensure_secrets
from chatproject.embedded.services import prepare, start_services
from chatproject.embedded.supervisor import Supervisor
from tests import serving

AS_ROOT = os.geteuid() == 0
LONG_NAME = "a-folder-with-a-name-that-is-longer-than-the-path-of-a-unix-socket-may-be" * 2


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def start(data_dir: Path) -> Supervisor:
    """Start both services in a new DATA_DIR."""
    supervisor = Supervisor(Progress())
    make_data_dir(data_dir)
    prepare(Layout(data_dir))
    start_services(supervisor, Layout(data_dir))
    return supervisor


@pytest.fixture(scope="module")
def services() -> Iterator[Layout]:
    """Running services in a DATA_DIR whose path is too long for a socket."""
    with serving.data_dir(name=LONG_NAME) as data_dir:
        supervisor = start(data_dir)
        yield Layout(data_dir)
        supervisor.stop()


@pytest.fixture
def layout(data_dir: Path) -> Layout:
    """A DATA_DIR with its private folders and secrets; nothing runs."""
    make_data_dir(data_dir)
    prepare(Layout(data_dir))
    return Layout(data_dir)


# --- Addresses ---


def test_addresses_need_no_files_and_make_none(data_dir: Path) -> None:
    database, cache = embedded.urls(data_dir)
    assert database.startswith("postgresql://chat:@")
    assert cache.startswith("unix://:@")
    assert not data_dir.exists()


def test_addresses_are_the_same_every_time(services: Layout) -> None:
    assert embedded.urls(services.data_dir) == embedded.urls(services.data_dir)


def test_a_long_data_dir_has_its_sockets_in_a_short_private_folder(services: Layout) -> None:
    assert len(os.fsencode(services.sockets / ".s.PGSQL.5432")) <= SOCKET_PATH_BYTES
    assert mode(services.sockets) == 0o700


def test_a_short_data_dir_has_them_inside(layout: Layout) -> None:
    assert layout.sockets.is_relative_to(layout.data_dir)


# --- PostgreSQL and Redis ---


def test_postgres_is_durable_private_and_has_vectors(services: Layout) -> None:
    with psycopg.connect(embedded.urls(services.data_dir)[0]) as connection:
        row = connection.execute(
            "SELECT current_setting('fsync'), current_setting('synchronous_commit'),"
            " current_setting('listen_addresses'), current_setting('server_encoding'), lower('ÄÖ')"
        ).fetchone()
        connection.execute("CREATE EXTENSION vector")
        distance = connection.execute("SELECT '[1,2]'::vector <-> '[1,3]'::vector").fetchone()
    assert row == ("on", "on", "", "UTF8", "äö")
    assert distance == (1.0,)


def test_postgres_refuses_a_wrong_password(services: Layout) -> None:
    password = embedded.read_secret(services.data_dir, "postgres_password")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(embedded.urls(services.data_dir)[0].replace(password, "wrong"))


def test_redis_wants_its_password_and_forgets_before_it_overflows(services: Layout) -> None:
    with redis.Redis.from_url(embedded.urls(services.data_dir)[1]) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-lru"}
        assert client.config_get("save") == {"save": ""}
    with (
        redis.Redis(unix_socket_path=str(services.sockets / "redis.sock"), retry=Retry(NoBackoff(), 0)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


@pytest.mark.parametrize("name", [".s.PGSQL.5432", "redis.sock"])
def test_other_users_of_this_machine_cannot_come_to_the_sockets(services: Layout, name: str) -> None:
    path = services.sockets / name
    assert path.is_socket()
    assert mode(services.sockets) == 0o700
    if AS_ROOT:
        assert outcome_as_nobody(lambda: socket.socket(socket.AF_UNIX).connect(str(path))) == "PermissionError"


@pytest.mark.skipif(not AS_ROOT, reason="only root can be somebody else")
def test_other_users_cannot_read_the_secrets(services: Layout) -> None:
    path = services.secrets / "redis_password"
    assert outcome_as_nobody(lambda: path.read_text()) == "PermissionError"


def outcome_as_nobody(action: Callable[[], object]) -> str:
    """Do something in a process of the user `nobody`; return the name of the exception, or nothing."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        answer = ""
        try:
            become_nobody()
            action()
        except BaseException as error:
            answer = type(error).__name__
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with open(reading) as answers:
        return answers.read()


def become_nobody() -> None:
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)


@pytest.mark.skipif(not AS_ROOT, reason="a plain user's services run as that user")
def test_roots_services_go_elsewhere_when_their_user_cannot_come(capsys: pytest.CaptureFixture[str]) -> None:
    """And no permission above them is changed, as the wheel's own start-up would."""
    with serving.data_dir() as outer:
        home = outer.parent
        home.chmod(0o700)
        supervisor = start(outer)
        try:
            assert Layout(outer).services.parent == Path("/var/lib/chatproject")
            assert mode(home) == 0o700
            with psycopg.connect(embedded.urls(outer)[0]) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            assert str(Layout(outer).services) in capsys.readouterr().out
        finally:
            supervisor.stop()


@pytest.mark.skipif(not AS_ROOT, reason="a plain user runs what is installed")
def test_a_copy_of_postgres_runs_where_the_installed_one_cannot_be_reached(data_dir: Path) -> None:
    data_dir.mkdir()
    copy = postgres.copy_installation(postgres.installed(), data_dir)
    nobody = pwd.getpwnam("nobody")
    cluster = data_dir / "cluster"
    make_private(cluster, Account(nobody.pw_uid, nobody.pw_gid))
    subprocess.run([copy / "bin" / "initdb", "-D", cluster], user="nobody", check=True, capture_output=True)
    assert postgres.copy_installation(postgres.installed(), data_dir) == copy


def test_data_whose_folder_is_gone_is_not_replaced_by_an_empty_database(layout: Layout) -> None:
    layout.services_link.symlink_to("/var/lib/chatproject/gone")
    with pytest.raises(StartError, match="which is gone"):
        start_services(Supervisor(Progress()), layout)


def test_a_cluster_of_another_major_version_is_left_alone(layout: Layout) -> None:
    layout.cluster.mkdir(parents=True)
    (layout.cluster / "PG_VERSION").write_text("16\n")
    with pytest.raises(StartError, match="is of PostgreSQL 16, this release runs 18"):
        postgres.check_version(layout.cluster)


def test_a_pid_file_that_names_a_stranger_is_forgotten(layout: Layout) -> None:
    layout.cluster.mkdir(parents=True)
    file = layout.cluster / "postmaster.pid"
    file.write_text(f"{os.getpid()}\n")
    postgres.forget_recycled_pid(layout.cluster)
    assert not file.exists()


def test_without_any_redis_server_the_cure_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_server, "PACKAGE", "no_such_wheel")
    with pytest.raises(StartError, match=r"apt-get install redis-server.*REDIS_URL"):
        redis_server.installed(path="")


def test_an_old_redis_server_on_path_is_passed_over(tmp_path: Path) -> None:
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=5.0.14 sha=0'\n")
    old.chmod(0o755)
    assert redis_server.installed(path=str(tmp_path)) != old
    old.write_text("#!/bin/sh\necho 'Redis server v=7.0.15 sha=0'\n")
    assert redis_server.installed(path=str(tmp_path)) == old


# --- Secrets and folders ---


def test_secrets_are_closed_to_others_and_stay(layout: Layout) -> None:
    made = {path.name: path.read_text() for path in layout.secrets.iterdir()}
    assert set(made) == {"secret_key", "encryption_keys", "postgres_password", "redis_password"}
    assert mode(layout.secrets) == 0o700
    assert {mode(path) for path in layout.secrets.iterdir()} == {0o600}
    ensure_secrets(layout)
    assert {path.name: path.read_text() for path in layout.secrets.iterdir()} == made


def test_the_encryption_key_has_32_bytes_and_a_name(layout: Layout) -> None:
    name, _, key = embedded.read_secret(layout.data_dir, "encryption_keys").partition(":")
    assert name
    assert len(base64.b64decode(key, validate=True)) == 32


def test_no_encryption_key_is_made_beside_one_that_is_given(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", "k1:AAAA")
    make_data_dir(data_dir)
    prepare(Layout(data_dir))
    assert embedded.read_secret(data_dir, "encryption_keys") == ""


@pytest.mark.parametrize("name", ["encryption_keys", "postgres_password"])
def test_a_lost_secret_of_an_existing_database_is_not_made_anew(layout: Layout, name: str) -> None:
    layout.cluster.mkdir(parents=True)
    (layout.secrets / name).unlink()
    with pytest.raises(StartError, match=f"{name} is gone"):
        ensure_secrets(layout)


def test_secrets_that_others_can_read_are_refused(layout: Layout) -> None:
    (layout.secrets / "secret_key").chmod(0o644)
    with pytest.raises(StartError, match="chmod"):
        ensure_secrets(layout)


def test_a_private_folder_that_somebody_else_prepared_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("open", "link"):
        with pytest.raises(StartError, match="must belong to"):
            make_private(tmp_path / name)


def test_a_data_dir_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match="set DATA_DIR"):
        make_data_dir(tmp_path / "file" / "data")


@pytest.mark.skipif(not AS_ROOT, reason="only root can enter what belongs to others")
def test_another_users_data_dir_is_refused(layout: Layout) -> None:
    layout.lock.touch()
    shutil.chown(layout.lock, "nobody")
    with pytest.raises(StartError, match="belongs to another user"):
        make_data_dir(layout.data_dir)


def test_one_data_dir_is_locked_once(layout: Layout) -> None:
    with locked(layout), pytest.raises(StartError, match=f"process {os.getpid()}"), locked(layout):
        pass
    with locked(layout):
        pass
