"""What `manage.py serve` starts and says, what others do beside it, and that it goes on when parts of it die."""

from pathlib import Path

import psycopg
import pytest
import redis

from chatproject import embedded
from tests.serving import Serve, eventually, manage


def test_it_starts_everything_and_says_where(running: Serve) -> None:
    # One that began while another test killed PostgreSQL has ended, and begins again.
    eventually(lambda: set(running.children()) == {"postgres", "redis", "worker 1", "web 1", "web 2"})
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


@pytest.mark.parametrize("name", ["web 1", "worker 1", "redis", "postgres"])
def test_a_child_that_dies_is_started_again(shared_data_dir: Path, running: Serve, name: str) -> None:
    dead = running.children()[name]
    dead.kill()
    dead.wait(10)
    eventually(lambda: name in running.children() and running.children()[name] != dead)
    eventually(running.answers)
    eventually(lambda: services_answer(shared_data_dir))
    assert f"{name} (process {dead.pid}) was killed by signal 9" in running.output


def test_services_that_a_url_names_are_not_started(data_dir: Path, shared_data_dir: Path, running: Serve) -> None:
    database, cache = embedded.urls(shared_data_dir)
    with Serve(data_dir, settings={"DATABASE_URL": database, "REDIS_URL": cache}) as serve:
        assert set(serve.children()) == {"worker 1", "web 1"}
        assert serve.answers()
    assert not (data_dir / "services").exists()
    assert services_answer(shared_data_dir)


def services_answer(data_dir: Path) -> bool:
    """Whether PostgreSQL and Redis of a DATA_DIR take commands."""
    database, cache = embedded.urls(data_dir)
    try:
        with psycopg.connect(database) as connection, redis.Redis.from_url(cache) as client:
            return bool(connection.execute("SELECT 1").fetchone() and client.ping())
    except (psycopg.Error, redis.RedisError):
        return False
