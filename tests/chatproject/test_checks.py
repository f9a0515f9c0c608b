"""Wrong settings stop the start with a sentence that names the setting and the cure."""

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.conf import settings as project
from django.core.checks import CheckMessage
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from chatproject import checks
from chatproject.checks import Facts
from chatproject.lib.crypto import Keyring

GOOD = Facts(version=160000, fsync=True, synchronous_commit=True, vector=True)


def ids(found: object) -> list[str]:
    assert isinstance(found, list)
    for message in found:
        assert isinstance(message, CheckMessage)
        assert message.msg.endswith(".")
        assert message.hint
        assert message.hint.endswith(".")
    return [message.id.removeprefix("chatproject.") for message in found]


def test_these_settings_are_sound() -> None:
    checks.refuse_unless_sound()


def test_missing_secrets(settings: Settings) -> None:
    settings.HAS_SECRET_KEY = False
    settings.ENCRYPTION_KEYS = []
    assert ids(checks.secrets_given()) == ["E001", "E003"]
    assert ids(checks.secrets_valid()) == []


def test_a_short_secret_key(settings: Settings) -> None:
    settings.HAS_SECRET_KEY = True
    settings.SECRET_KEY = "x" * 31
    assert ids(checks.secrets_valid()) == ["E002"]


@pytest.mark.parametrize("keys", [["nonsense"], ["k1:AAAA"], ["k1:" + "é" * 44], [":" + "A" * 44]])
def test_malformed_encryption_keys(settings: Settings, keys: list[str]) -> None:
    settings.ENCRYPTION_KEYS = keys
    assert ids(checks.secrets_valid()) == ["E004"]


@pytest.mark.parametrize(
    "secret",
    [
        bytes(32),
        b"\xff" * 32,
        bytes(range(32)),
        b"0123456789abcdef0123456789abcdef",
        b"correct horse battery staple 123",
        bytes(range(0, 256, 16)) * 2,
        b"\x01\xfe" * 16,
    ],
)
def test_keys_that_can_be_guessed(settings: Settings, secret: bytes) -> None:
    weak = f"k2:{base64.b64encode(secret).decode()}"
    settings.ENCRYPTION_KEYS = [*settings.ENCRYPTION_KEYS, weak]
    assert ids(checks.secrets_valid()) == ["E006"]
    assert "k2" in checks.secrets_valid()[0].msg


@given(st.binary(min_size=32, max_size=32).filter(lambda secret: len(set(secret)) > 24))
def test_keys_drawn_at_random_are_taken(secret: bytes) -> None:
    assert not Keyring([f"k1:{base64.b64encode(secret).decode()}"]).weak() or secret.isascii()


def test_an_id_that_stands_for_two_keys(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [settings.ENCRYPTION_KEYS[0]] * 2
    assert ids(checks.secrets_valid()) == ["E004"]


def test_a_key_that_rows_need(settings: Settings) -> None:
    known = settings.ENCRYPTION_KEYS[0].partition(":")[0]
    assert ids(checks.judge_keys([known])) == []
    assert ids(checks.judge_keys([known, "k0"])) == ["E007"]
    settings.ENCRYPTION_KEYS = []
    assert ids(checks.judge_keys([known])) == []  # E003 says that already


def test_the_memory_of_redis() -> None:
    assert ids(checks.judge_memory({"maxmemory": 0, "maxmemory_policy": "noeviction"})) == ["W021"]
    assert ids(checks.judge_memory({"maxmemory": 1, "maxmemory_policy": "noeviction"})) == ["W022"]
    assert ids(checks.judge_memory({"maxmemory": 1, "maxmemory_policy": "allkeys-lru"})) == []
    assert ids(checks.judge_memory({"maxmemory": 1, "maxmemory_policy": "volatile-lru"})) == []
    assert ids(checks.redis_suits(databases=["default"])) == []


@pytest.mark.parametrize(
    ("facts", "id_"),
    [
        (replace(GOOD, version=150012), "E011"),
        (replace(GOOD, vector=False), "E012"),
        (replace(GOOD, fsync=False), "E013"),
        (replace(GOOD, synchronous_commit=False), "E014"),
    ],
)
def test_what_postgresql_must_be(facts: Facts, id_: str) -> None:
    assert ids(checks.judge(facts)) == [id_]
    assert ids(checks.judge(GOOD)) == []


@contextmanager
def scratch_database(*statements: str) -> Iterator[str]:
    name = "scratch_of_checks"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}")
        for statement in statements:
            cursor.execute(statement.format(name))
        yield name
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_real_database_with_synchronous_commit_off(monkeypatch: pytest.MonkeyPatch) -> None:
    with scratch_database("ALTER DATABASE {} SET synchronous_commit = off") as name:
        monkeypatch.setitem(connection.settings_dict, "NAME", name)
        assert ids(checks.database_suits(databases=["default"])) == ["E014"]


def test_a_database_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "NAME", "no_such_database")
    assert ids(checks.database_suits(databases=["default"])) == ["E010"]
    assert ids(checks.database_suits()) == []


def test_redis_may_be_away_but_not_wrong(settings: Settings) -> None:
    outcomes = {}
    for url in ("redis://127.0.0.1:1/0", "nonsense://x", project.REDIS_URL.replace(":", ":wrong", 1)):
        settings.REDIS_URL = url
        outcomes[url] = ids(checks.redis_suits(databases=["default"]))
    assert list(outcomes.values())[:2] == [["W020"], ["E020"]]
    assert ids(checks.judge_redis("6.0.16")) == ["E021"]
    assert ids(checks.judge_redis("6.2.0")) == ids(checks.judge_redis("8.0.1")) == []


# --- Real processes ---------------------------------------------------------------------------------------


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project.BASE_DIR,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_web_process_refuses_to_start() -> None:
    server = run("-m", "uvicorn", "--port", "0", "chatproject.asgi:application", ENCRYPTION_KEYS="k1:AAAA")
    assert server.returncode not in (0, None)
    assert "chatproject.E004: ENCRYPTION_KEYS cannot be used" in server.stderr
    assert "Traceback" not in server.stderr


def test_a_worker_refuses_to_start() -> None:
    worker = run("manage.py", "worker", SECRET_KEY="short")
    assert worker.returncode not in (0, None)
    assert "SECRET_KEY is too short" in worker.stderr
    assert "Traceback" not in worker.stderr


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "nonsense", "DATABASE_URL must be an address: postgres://"),
        ("DATABASE_URL", "mysql://a/b", "DATABASE_URL must be a postgres:// address"),
        ("DB_THREADS", "many", "DB_THREADS is 'many'; set it to a whole number of at least 2, or unset it."),
        ("ENCRYPTION_KEYS", base64.b64encode(bytes(32)).decode(), "chatproject.E004"),
    ],
)
def test_any_command_names_what_is_wrong(name: str, value: str, sentence: str) -> None:
    command = run("manage.py", "check", **{name: value})
    assert command.returncode == 1
    assert sentence in command.stderr


def test_with_https_on_django_finds_nothing_to_deploy_better() -> None:
    command = run("manage.py", "check", "--deploy", "--database", "default", "--fail-level", "WARNING", HTTPS="1")
    assert command.returncode == 0, command.stderr
    assert "no issues" in command.stdout


def test_without_https_it_says_so() -> None:
    command = run("manage.py", "check", "--deploy")
    assert {"security.W004", "security.W008", "security.W012", "security.W016"} <= set(
        re.findall(r"\((\S+?)\)", command.stderr)
    )
