"""The action `report`: a report of the conversation. The message says the template and the form: `summary pdf`."""

from django.db import transaction

from conversations import wire
from conversations.actions import Action
from conversations.assistants.base import AssistantError, Turn
from conversations.assistants.defaults import default_assistant
from conversations.assistants.watching import Progress, asker, question, watch
from conversations.models import Report
from conversations.permissions import Permission
from conversations.services import reports
from conversations.services.runs import Claim
from conversations.transfer import transcript


async def answer(turn: Turn) -> None:
    """Begin the report, once, and watch it."""
    await watch(turn, "report", look)


def look(claim: Claim) -> Progress:
    """How far the report of a run is; it is begun where there is none yet. Raises Problem, AssistantError."""
    report = Report.objects.filter(run=claim.run).first() or _begun(claim)
    told = wire.report(report)
    percent = int(100 * told["progress"])
    news = percent != report.shown
    if news:
        Report.objects.filter(id=report.id).update(shown=percent)
    if report.status == Report.Status.FAILED:
        raise AssistantError("report_failed", (report.error or {}).get("message") or "The report could not be made.")
    shown = {"report": told["id"], "total": 100, "done": percent}
    title = told["title"] or told["template"]
    text = f"[{transcript.plain(title)} ({report.form.upper()})](/reports/{report.id}/)"
    return {"over": not report.is_active, "news": news, "shown": shown, "text": text}


def _begun(claim: Claim) -> Report:
    user = asker(claim)
    message, text = question(claim)
    template, form = [*text.split(), "", ""][:2]
    wish = reports.Wish(
        template=template or "transcript",
        form=(form or Report.Form.WORD).lower(),
        assistant=message.conversation.assistant or default_assistant(),
        conversations=[claim.conversation],
        run=claim.run,
    )
    with transaction.atomic():
        return reports.start(user=user, wish=wish)


REPORT = Action(Permission.SEND, "Makes a report of the conversation.", handler=answer, text=False)
