"""Reports over real worker processes: one that is killed while it makes one is followed by another."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations import selectors
from conversations.models import Report, ReportFile
from tests.conversations.reports.working import begin, talk
from tests.faults.cluster import Cluster
from tests.faults.support import until_stored

Make = Callable[..., Cluster]
QUICK = {"EXPORT_LEASE_SECONDS": "2", "MEND_REPORTS_SECONDS": "1", "MEND_QUEUE_SECONDS": "1"}


async def test_a_worker_dies_while_it_makes_a_report(alice: User, cluster: Make, tmp_path: Path) -> None:
    """The document was written, and not stored yet: another worker makes it, once."""
    place = await in_thread(talk, alice, "Tea", "Green?")
    once = {"CRASH_AT": "report_made", "CRASH_ONCE": str(tmp_path / "once")}
    async with cluster(webs=0, workers=2, **once, **QUICK) as running:
        report = await in_thread(partial(begin, alice, "transcript", place, form="pdf"))
        await until_stored(lambda: any(worker.dead() for worker in running.workers), 60)
        assert not await ReportFile.objects.filter(report=report).aexists(), "nothing of it is stored"
        await until_stored(lambda: Report.objects.get(id=report.id).status == "completed", 60)
        assert [worker.alive for worker in running.workers].count(True) == 1
    made = await Report.objects.aget(id=report.id)
    assert (await in_thread(selectors.report_document, made)).startswith(b"%PDF")
    assert (made.fence, await ReportFile.objects.filter(report=report).acount()) == (2, 1), "taken up once more"
