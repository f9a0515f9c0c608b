"""When frames go out: at once where there is little to do, joined in rounds under load."""

import asyncio
import time
from concurrent.futures import Future, ThreadPoolExecutor

from django.conf import settings

from realtime.outbox import Outbox
from realtime.pace import REST, Pace
from realtime.tasks import Landing, begin


class Busy:
    """Takes its time to hand over, and notes when it began."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.times: list[float] = []

    def flush(self) -> None:
        self.times.append(time.monotonic())
        until = time.thread_time() + self.seconds
        while time.thread_time() < until:
            pass


async def rounds(pace: Pace, holder: Busy, count: int) -> list[float]:
    """Seconds between rounds, while there is always something new."""
    while len(holder.times) < count:
        pace.outbox(holder)
        await asyncio.sleep(0)
    return [later - sooner for sooner, later in zip(holder.times, holder.times[1:], strict=False)]


async def test_where_little_is_to_do_nothing_waits() -> None:
    """No timer: what is handed in goes out when the event loop comes round."""
    pace, holder = Pace(), Busy()
    for number in range(3):
        pace.outbox(holder)
        await asyncio.sleep(0)
        assert len(holder.times) == number + 1
        await asyncio.sleep(settings.BATCH_MS / 1000)


async def test_under_load_what_comes_in_is_joined() -> None:
    """Handing over takes a tenth of the time, and what other programs take meanwhile does not count."""
    between = await rounds(Pace(), Busy(0.002), 6)
    assert min(between) > 0.002 * (1 + REST) * 0.9


async def test_nothing_waits_longer_than_batch_ms() -> None:
    """However long a round took; one of these is not held up by another program."""
    assert min(await rounds(Pace(), Busy(0.04), 8)) < 0.04 * (1 + REST)


async def test_rooms_come_before_outboxes_and_everything_goes_out_once() -> None:
    pace, order = Pace(), []
    room, outbox = Busy(), Busy()
    room.flush, outbox.flush = lambda: order.append("room"), lambda: order.append("outbox")  # type: ignore[method-assign]
    for _ in range(2):
        pace.outbox(outbox)
        pace.room(room)
    await asyncio.sleep(0.01)
    assert order == ["room", "outbox"]


async def test_what_is_said_together_goes_out_together() -> None:
    sent: list[str] = []

    async def send(text: str) -> None:
        sent.append(text)

    outbox, before = Outbox(send, Pace()), len(asyncio.all_tasks())
    outbox.say("1")
    outbox.say("2")
    await asyncio.sleep(0.01)
    outbox.say("3")
    await asyncio.sleep(0.01)
    assert sent == ["[1,2]", "3"]
    assert len(asyncio.all_tasks()) == before


async def test_a_farewell_waits_for_what_is_on_its_way() -> None:
    sent: list[str] = []

    async def send(text: str) -> None:
        await asyncio.sleep(0.01)
        sent.append(text)

    outbox = Outbox(send, Pace())
    outbox.say("1")
    await asyncio.sleep(0)
    outbox.say("2")
    await outbox.close()
    assert sent == ["1", "2"]


async def test_order_survives_a_connection_that_takes_its_time() -> None:
    sent: list[str] = []

    async def send(text: str) -> None:
        await asyncio.sleep(0.005 if len(sent) % 2 else 0)
        sent.append(text)

    outbox = Outbox(send, Pace())
    for number in range(10):
        outbox.say(f"{number}")
        await asyncio.sleep(0.002)
    await outbox.close()
    assert "".join(sent).replace("[", "").replace("]", "").replace(",", "") == "0123456789"


async def test_a_coroutine_is_done_without_a_task_as_far_as_it_does_not_wait() -> None:
    done: list[int] = []

    async def work(waits: bool) -> None:
        done.append(1)
        if waits:
            await asyncio.sleep(0.001)
        done.append(2)

    assert begin(work(waits=False)) is None
    assert done == [1, 2]
    rest = begin(work(waits=True))
    assert done == [1, 2, 1]
    assert rest is not None
    await rest
    assert done == [1, 2, 1, 2]


async def test_results_of_other_threads_come_back_in_order_and_one_that_fails_stops_nobody() -> None:
    landing, landed, futures = Landing(), [], [Future[int]() for _ in range(1000)]
    last: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def note(future: "Future[int]") -> None:
        landed.append(1 / future.result())
        if future is futures[-1]:
            last.set_result(None)

    def finish() -> None:
        for number, future in enumerate(futures):
            future.set_result(number)

    for future in futures:
        landing.follow(future, note)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(finish)
    await last
    assert landed == [1 / number for number in range(1, 1000)]
