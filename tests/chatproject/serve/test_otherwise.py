"""`manage.py serve` with other settings, as another user, and where it cannot be."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests import serving
from tests.chatproject.serve.conftest import NO_WORKER
from tests.serving import BASE_DIR, Serve, manage

AS_ROOT = os.geteuid() == 0
SITE_PACKAGES = Path(psutil.__file__).parent.parent


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
