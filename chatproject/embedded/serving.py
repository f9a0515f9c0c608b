"""One run of `serve`, from the lock to the last goodbye."""

import socket
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

from chatproject.embedded import web
from chatproject.embedded.errors import Stopped
from chatproject.embedded.layout import Layout, make_data_dir
from chatproject.embedded.lock import introduce, locked
from chatproject.embedded.orphans import end_orphans, find_orphans
from chatproject.embedded.progress import Progress
from chatproject.embedded.services import prepare, start_services
from chatproject.embedded.supervisor import Supervisor

WEB_READY_SECONDS = 120.0


@dataclass(frozen=True)
class Plan:
    """What one `serve` is to run."""

    data_dir: Path
    base_dir: Path
    host: str
    port: int
    server: str
    web_processes: int
    worker_processes: int
    frame_bytes: int
    batch_bytes: int
    # Whether each service is ours; otherwise DATABASE_URL and REDIS_URL name it.
    with_postgres: bool
    with_redis: bool


class Serving:
    """Runs a plan until somebody asks to stop."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self.plan = plan
        self.progress = progress
        self.layout = Layout(plan.data_dir)
        self.supervisor = Supervisor(progress, on_death=self.forget_metrics)

    def run(self) -> None:
        """Start everything, keep it running, and end it. Raises StartError where it cannot start."""
        make_data_dir(self.plan.data_dir)
        with locked(self.layout) as lock:
            self.clear_away()
            with web.listen(self.plan.host, self.plan.port) as listener:
                address = web.Address(self.plan.host, listener.getsockname()[1])
                introduce(lock, str(address))
                self.serve(listener, address)

    def serve(self, listener: socket.socket, address: web.Address) -> None:
        """Run the children on `listener`; whatever happens, end those that were started."""
        try:
            self.start(listener, address)
            self.supervisor.watch()
        except Stopped:
            self.progress.say("\nStopping ...")
        finally:
            self.supervisor.stop()
        self.progress.say("Stopped.")

    def clear_away(self) -> None:
        """End what a killed `serve` left, and forget its counters."""
        orphans = find_orphans(self.plan.data_dir)
        if orphans:
            with self.progress.step(f"Ending {len(orphans)} processes that a killed serve left behind"):
                end_orphans(orphans)
        for file in self.layout.metrics.glob("*.db"):
            file.unlink()

    def start(self, listener: socket.socket, address: web.Address) -> None:
        """Start the services, bring the database up to date, start web and workers, say where they are."""
        self.progress.say(f"Starting in {self.plan.data_dir}")
        prepare(self.layout)
        start_services(
            self.supervisor,
            self.layout,
            with_postgres=self.plan.with_postgres,
            with_redis=self.plan.with_redis,
        )
        with self.progress.step("Database: bringing its tables up to date"):
            news = self.supervisor.run(web.command(self.layout, self.plan.base_dir, "prepare", "prepare"))
        with self.progress.step("Web and workers: starting"):
            self.start_product(listener)
        self.progress.say(f"\nReady: {address}\nAdmin: {address}admin/\n{news}Ctrl-C stops it.\n")

    def start_product(self, listener: socket.socket) -> None:
        """Start web servers and workers, and return when the web answers."""
        plan, layout = self.plan, self.layout
        for number in range(1, plan.worker_processes + 1):
            self.supervisor.start(web.command(layout, plan.base_dir, f"worker {number}", "worker"))
        for number in range(1, plan.web_processes + 1):
            program = web.web(
                layout,
                plan.base_dir,
                listener,
                number=number,
                server=plan.server,
                frame_bytes=plan.frame_bytes,
                batch_bytes=plan.batch_bytes,
            )
            child = self.supervisor.start(program)
        self.supervisor.wait_until(lambda: web.answers(listener), child, WEB_READY_SECONDS)

    def forget_metrics(self, pid: int) -> None:
        """Drop the gauges of a process that died: its connections are gone with it."""
        mark_process_dead(pid, str(self.layout.metrics))
