"""The time to the first stored piece of an answer is measured, once for each run."""

from accounts.models import User
from chatproject.lib import metrics
from chatproject.lib.threads import in_thread
from conversations.assistants import runner
from conversations.services import conversations


def measured() -> tuple[float, float]:
    """How many runs were measured, and the sum of their seconds."""
    [metric] = metrics.first_delta.collect()
    values = {sample.name: sample.value for sample in metric.samples if not sample.labels}
    return values["run_first_delta_seconds_count"], values["run_first_delta_seconds_sum"]


async def test_it_is_measured_once_for_a_run_of_many_pieces(alice: User) -> None:
    creating = conversations.create(user=alice, assistant="guide", message="hello")
    conversation = (await in_thread(creating.result)).conversation.id
    count, seconds = measured()
    await runner.take_turn(conversation)
    after, total = measured()
    assert after == count + 1
    assert 0 < total - seconds < 10
