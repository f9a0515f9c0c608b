"""How `manage.py serve` ends, by Ctrl-C or killed: nothing is left, and nothing of others is touched."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from chatproject.embedded.orphans import SERVICES, find_orphans
from chatproject.embedded.processes import MARK, NAME_MARK
from tests import serving
from tests.chatproject.serve.conftest import NO_WORKER
from tests.serving import BASE_DIR, Serve, eventually


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
