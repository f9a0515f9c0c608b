"""The assistant `openai` against a scripted model over real HTTP: how answers end, and what is kept."""

import asyncio
from uuid import UUID

import pytest
from django.test import override_settings

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.models import RunChunk
from conversations.services import handoff, members
from tests.api import Api
from tests.conftest import new_user
from tests.conversations.assistants.support import answered, conversation_with, ending
from tests.conversations.support import replayed, say
from tests.provider import SEPARATED, Provider

pytestmark = pytest.mark.usefixtures("provider")


async def test_an_answer_with_its_usage(alice: User, provider: Provider) -> None:
    run = await answered(alice, "say hello there")
    end = await ending(run)
    assert (run.status, end["status"], end["text"]) == ("completed", "completed", "hello there ")
    assert end["usage"] == {"input_tokens": 11, "output_tokens": 7}
    assert "error" not in end
    assert not await RunChunk.objects.filter(run=run).aexists()
    await in_thread(replayed, run.conversation_id)


async def test_what_the_model_is_sent(alice: User, provider: Provider) -> None:
    conversation = await in_thread(conversation_with, alice, "openai")
    with override_settings(ASSISTANT_CONTEXTS={"openai": {"system": "Be kind.", "model": "small"}}):
        await answered(alice, "say one", conversation)
        await answered(alice, "say two", conversation)
    body = provider.last.body
    assert (body["model"], body["stream"]) == ("small", True)
    assert body["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "say one"},
        {"role": "assistant", "content": "one "},
        {"role": "user", "content": "say two"},
    ]
    assert len(provider.requests) == 2


async def test_people_who_answered_are_told_as_answers_with_their_names(
    alice: User, as_alice: Api, provider: Provider
) -> None:
    """And who asks is a user, also where it is an agent."""
    conversation = await in_thread(conversation_with, alice, "openai")
    await answered(alice, "say one", conversation)
    dora = await in_thread(joined_as_agent, alice, conversation)
    await in_thread(lambda: handoff.claim(user=dora, conversation=conversation).result(30))
    await in_thread(say, dora, conversation, "Your refund is on its way.")
    await in_thread(say, alice, conversation, "Thanks!")
    await in_thread(lambda: handoff.release(user=dora, conversation=conversation).result(30))
    await answered(alice, "say two", conversation)
    past = [("user", "say one"), ("assistant", "one "), ("assistant", "Dora: Your refund is on its way.")]
    past += [("user", "Thanks!"), ("user", "say two")]
    assert sent(provider) == past
    run = await answered(dora, "Sum it up", conversation)
    assert sent(provider) == [*past, ("assistant", "two "), ("user", "Dora: Sum it up")]
    report = (await in_thread(as_alice.get, f"runs/{run.id}/context/")).json
    told = [(line["role"], line["text"]) for line in report["messages"]]
    assert told[3] == ("agent", "Dora: Your refund is on its way.")
    assert (told[-1], sum(line["tokens"] for line in report["messages"]) + 3) == (
        ("user", "Dora: Sum it up"),
        report["tokens"],
    )


def joined_as_agent(user: User, conversation: UUID) -> User:
    """A new member who answers as an agent."""
    dora = new_user("Dora")
    members.add(actor=user, conversation=conversation, user=dora.id, role="agent").result(30)
    return dora


def sent(provider: Provider) -> list[tuple[str, str]]:
    """What the model was sent last, without the prompt."""
    return [(one["role"], one["content"]) for one in provider.last.body["messages"] if one["role"] != "system"]


@pytest.mark.parametrize(
    ("script", "code", "text", "calls"),
    [
        ("status 500", "provider_error", "", 3),
        ("status 503", "provider_error", "", 3),
        ("status 401", "provider_refused", "", 1),
        ("status 404", "provider_rejected", "", 1),
        ("cut 0", "provider_error", "", 3),
        ("cut 3", "provider_error", "word0 word1 word2 ", 1),
        ("garbage", "provider_error", "Half ", 1),
        ("error", "provider_error", "Half ", 1),
    ],
)
async def test_a_failure_says_what_it_is_and_keeps_what_was_said(
    alice: User, provider: Provider, script: str, code: str, text: str, calls: int
) -> None:
    end = await ending(await answered(alice, script))
    assert (end["status"], end["error"]["code"], end["text"]) == ("failed", code, text)
    assert "secret" not in str(end)
    assert len(provider.requests) == calls, "repeated only before the first token"


@pytest.mark.parametrize(("script", "text"), [("stall", "Wait "), ("hang", "")])
async def test_a_model_that_says_nothing_for_long(alice: User, provider: Provider, script: str, text: str) -> None:
    with override_settings(PROVIDER_STALL_SECONDS=1):
        end = await ending(await answered(alice, script))
    assert (end["status"], end["error"]["code"], end["text"]) == ("failed", "provider_timeout", text)
    assert await asyncio.to_thread(provider.last.closed.wait, 1)


async def test_a_model_that_is_not_there(alice: User) -> None:
    with override_settings(OPENAI_BASE_URL="http://127.0.0.1:9/v1"):
        end = await ending(await answered(alice, "say hello"))
    assert (end["status"], end["error"]["code"]) == ("failed", "provider_unreachable")


async def test_text_of_all_kinds(alice: User) -> None:
    """A lone surrogate cannot be stored or sent; everything else comes back as it was."""
    run = await answered(alice, "unicode")
    assert (await ending(run))["text"] == "Grüße 👋🏽 你好，世界 e\u0301 \ufffd end"


async def test_separators_that_are_not_escaped_are_text(alice: User) -> None:
    """Models write them, and most providers send them as they are."""
    end = await ending(await answered(alice, "raw"))
    assert (end["status"], end["text"]) == ("completed", SEPARATED)


async def test_an_emoji_that_comes_in_halves_is_whole(alice: User) -> None:
    assert (await ending(await answered(alice, "halves")))["text"] == "👋👋 end"


@override_settings(ANSWER_MAX_LENGTH=2500)
async def test_an_answer_that_is_too_long_is_cut(alice: User) -> None:
    end = await ending(await answered(alice, "long 5000"))
    assert (end["status"], end["error"]["code"]) == ("failed", "too_large")
    assert end["text"] == ("long text " * 250)


@override_settings(ANSWER_MAX_BYTES=1000)
async def test_an_answer_that_is_too_large_for_a_frame_is_cut(alice: User) -> None:
    end = await ending(await answered(alice, "long 5000"))
    assert (end["status"], end["error"]["code"], len(end["text"])) == ("failed", "too_large", 1000)


async def test_an_assistant_that_is_not_offered_any_more(alice: User) -> None:
    conversation = await in_thread(conversation_with, alice, "openai")
    with override_settings(ASSISTANTS={}):
        end = await ending(await answered(alice, "say hello", conversation))
    assert (end["status"], end["error"]["code"]) == ("failed", "assistant_unknown")
