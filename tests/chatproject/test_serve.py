"""`manage.py serve`, with real processes."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from chatproject import embedded
from chatproject.embedded.orphans import SERVICES, find_orphans
from chatproject.embedded.processes import MARK, NAME_MARK
from tests import serving
from tests.serving import BASE_DIR, Serve, eventually, manage

AS_ROOT = os.geteuid() == 0
SITE_PACKAGES = Path(psutil.__file__).parent.parent


# For what has nothing to do with workers: a start is two seconds shorter without one.
NO_WORKER = {"WORKER_PROCESSES": "0"}


@pytest.fixture(scope="module")
def first(shared_data_dir: Path) -> Serve:
    """The first start in a DATA_DIR; ended again."""
    with Serve(shared_data_dir, settings=NO_WORKER) as serve:
        return serve


@pytest.fixture(scope="module")
def pattern(first: Serve) -> Iterator[Path]:
    """What the first start left."""
    with serving.data_dir() as path:
        copy(first.data_dir, path)
        yield path


@pytest.fixture
def used_data_dir(pattern: Path, data_dir: Path) -> Path:
    """A DATA_DIR in which `serve` has been once."""
    copy(pattern, data_dir)
    return data_dir


def copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "--archive", source, target], check=True)


@pytest.fixture(scope="module")
def running(first: Serve, pattern: Path) -> Iterator[Serve]:
    """The second start; the tests of this module only look at it."""
    with Serve(first.data_dir, settings={"WEB_PROCESSES": "2"}) as serve:
        yield serve


def test_it_starts_everything_and_says_where(running: Serve) -> None:
    assert set(running.children()) == {"postgres", "redis", "worker 1", "web 1", "web 2"}
    assert running.answers()
    assert "Admin: " in running.output


def test_the_first_time_the_database_is_made(first: Serve, running: Serve) -> None:
    assert "PostgreSQL: making the database, this once ... " in first.output
    assert "making" not in running.output


def test_the_admin_password_is_shown_the_first_time_only(first: Serve, running: Serve) -> None:
    assert first.wait_for("Admin user: admin, password: ").endswith(" (shown only this once)")
    assert "password" not in running.output


def test_a_second_start_is_refused_and_told_of_the_first(running: Serve) -> None:
    refused = manage(running.data_dir, "serve", PORT="0")
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert f"process {running.process.pid} at {running.url}" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert running.answers()


def test_other_commands_work_in_a_second_terminal(running: Serve) -> None:
    done = manage(running.data_dir, "migrate", "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_command_without_serve_makes_no_files(data_dir: Path) -> None:
    assert manage(data_dir, "check").returncode == 0
    assert not data_dir.exists()


def test_a_port_in_use_is_one_sentence(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = manage(data_dir, "serve", PORT=str(port))
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"CommandError: Cannot listen on 127.0.0.1 port {port} ")
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "eighty"), ("PORT", "70000"), ("HOST", "no.such.host.invalid"), ("SERVER", "apache")],
)
def test_a_wrong_setting_is_one_sentence_that_names_it(data_dir: Path, name: str, value: str) -> None:
    refused = manage(data_dir, "serve", **{"PORT": "0", name: value})
    assert refused.returncode == 1
    assert name in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_what_it_started_and_only_that(used_data_dir: Path, running: Serve, number: signal.Signals) -> None:
    with Serve(used_data_dir) as serve:
        family = serve.family()
        assert serve.stop(number) == 0
    _, alive = psutil.wait_procs(family, timeout=0)
    assert alive == []
    assert "Stopped." in serve.output
    assert running.answers()
    assert set(running.children()) == {"postgres", "redis", "worker 1", "web 1", "web 2"}


def test_ctrl_c_during_the_start_ends_it(data_dir: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        cwd=BASE_DIR,
        env=serving.environment(data_dir, PORT="0"),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    with process:
        next(line for line in process.stdout if "PostgreSQL: making" in line)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert find_orphans(data_dir) == []


def test_children_follow_a_killed_serve(used_data_dir: Path) -> None:
    with Serve(used_data_dir) as serve:
        family = serve.family()
        serve.kill()
        _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []


def test_a_start_after_kill_9_ends_the_orphans_of_its_data_dir(used_data_dir: Path, running: Serve) -> None:
    """The services are suspended, so that the kernel's signal cannot end them; `sleep` stands in for a worker."""
    data_dir = used_data_dir
    with Serve(data_dir, settings=NO_WORKER) as killed:
        services = [child for name, child in killed.children().items() if name in SERVICES]
        for service in services:
            service.suspend()
        leave_behind(data_dir, "worker 1")
        leave_behind(data_dir.parent, "worker 1")
        killed.kill()
    eventually(lambda: len(find_orphans(data_dir)) == 3)
    orphans = find_orphans(data_dir)
    assert {*services} < {*orphans}
    with Serve(data_dir, settings=NO_WORKER) as serve:
        assert "Ending 3 processes that a killed serve left behind" in serve.output
        assert psutil.wait_procs(orphans, timeout=0)[1] == []
        assert serve.answers()
    (stranger,) = find_orphans(data_dir.parent)
    stranger.kill()
    assert running.answers()


def leave_behind(data_dir: Path, name: str) -> None:
    """Leave a process that looks like a child of a `serve` that is gone."""
    environment = {"PATH": os.defpath, MARK: str(data_dir), NAME_MARK: name}
    subprocess.run(["sh", "-c", "sleep 600 &"], env=environment, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("name", ["web 1", "worker 1", "redis", "postgres"])
def test_a_child_that_dies_is_started_again(shared_data_dir: Path, running: Serve, name: str) -> None:
    dead = running.children()[name]
    dead.kill()
    dead.wait(10)
    eventually(lambda: name in running.children() and running.children()[name] != dead)
    eventually(running.answers)
    eventually(lambda: services_answer(shared_data_dir))
    assert f"{name} (process {dead.pid}) was killed by signal 9" in running.output


def services_answer(data_dir: Path) -> bool:
    """Whether PostgreSQL and Redis of a DATA_DIR take commands."""
    database, cache = embedded.urls(data_dir)
    try:
        with psycopg.connect(database) as connection, redis.Redis.from_url(cache) as client:
            return bool(connection.execute("SELECT 1").fetchone() and client.ping())
    except (psycopg.Error, redis.RedisError):
        return False


def test_services_that_a_url_names_are_not_started(data_dir: Path, shared_data_dir: Path, running: Serve) -> None:
    database, cache = embedded.urls(shared_data_dir)
    with Serve(data_dir, settings={"DATABASE_URL": database, "REDIS_URL": cache}) as serve:
        assert set(serve.children()) == {"worker 1", "web 1"}
        assert serve.answers()
    assert not (data_dir / "services").exists()
    assert services_answer(shared_data_dir)


def test_it_serves_with_daphne(used_data_dir: Path) -> None:
    with Serve(used_data_dir, settings={"SERVER": "daphne", **NO_WORKER}) as serve:
        assert "chatproject.embedded.daphne" in serve.children()["web 1"].cmdline()
        assert serve.answers()


def test_a_plain_user_runs_it() -> None:
    """As root: somebody who is not, in a copy of the project that belongs to them."""
    if not AS_ROOT:
        pytest.skip("all other tests run it as a plain user")
    nobody = pwd.getpwnam("nobody")
    python = python_for(nobody)
    with serving.data_dir(name="project") as project:
        shutil.copytree(BASE_DIR, project, ignore=shutil.ignore_patterns(".git", ".venv", "var", "node_modules"))
        subprocess.run(["chown", "-R", str(nobody.pw_uid), project], check=True)
        settings = {"PYTHONPATH": str(SITE_PACKAGES), "HOME": "/nonexistent"}
        with Serve(
            project / "var",
            command=(python, "manage.py", "serve"),
            user=nobody.pw_uid,
            cwd=project,
            settings=settings,
        ) as serve:
            assert serve.answers()
            assert {child.username() for child in serve.family()} == {"nobody"}


def python_for(user: pwd.struct_passwd) -> str:
    """A Python of our version that `user` can run: ours may lie in root's home."""
    version = f"python3.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            subprocess.run(
                [python, "-c", "import psutil"],
                env={"PYTHONPATH": str(SITE_PACKAGES)},
                user=user.pw_uid,
                check=True,
                capture_output=True,
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    return pytest.skip(f"user nobody can run no {version} with the installed packages")
