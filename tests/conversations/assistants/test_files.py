"""What assistants are told of files: text of documents, pictures where the model takes them, names of the rest."""

import base64
import io
from uuid import UUID

import pytest
from django.test import override_settings

from accounts.models import User
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.assistants import runner
from conversations.context import reports
from conversations.models import Run
from conversations.services import files, messages
from tests.conversations.assistants.support import conversation_with
from tests.conversations.files import samples
from tests.provider import Provider

pytestmark = pytest.mark.usefixtures("provider")


def say(user: User, conversation: UUID, text: str, *held: tuple[str, bytes]) -> Run:
    """Say something with files."""
    parts = []
    for name, content in held:
        given = files.Upload(io.BytesIO(content), len(content), name)
        parts.append({"type": "file", "id": str(files.upload(user=user, conversation=conversation, given=given).id)})
    said = messages.send(user=user, conversation=conversation, text=text, cmid=str(new_id()), parts=parts).result(10)
    return Run.objects.get(id=said.main["data"]["run"])


async def answered(user: User, conversation: UUID, text: str, *held: tuple[str, bytes]) -> Run:
    run = await in_thread(say, user, conversation, text, *held)
    await runner.take_turn(conversation)
    return await Run.objects.aget(id=run.id)


async def test_text_is_in_the_message_with_its_name(alice: User, provider: Provider) -> None:
    conversation = await in_thread(conversation_with, alice, "openai")
    document = samples.pdf(samples.page(b"We meet on Monday"))
    await answered(alice, conversation, "say ok", ("minutes.pdf", document), ("data.bin", b"\0\1"))
    told = provider.last.body["messages"][-1]["content"]
    assert told.startswith("say ok\n\n[File: minutes.pdf]\nWe meet on Monday\n")
    assert "[File: data.bin (application/octet-stream)." in told
    await answered(alice, conversation, "say more")
    assert "We meet on Monday" in provider.last.body["messages"][-3]["content"]


async def test_a_picture_is_shown_to_a_model_that_sees(alice: User, provider: Provider) -> None:
    conversation = await in_thread(conversation_with, alice, "openai")
    run = await answered(alice, conversation, "say seen", ("a.png", samples.PNG), ("b.svg", samples.SVG))
    text, *pictures = provider.last.body["messages"][-1]["content"]
    assert text["text"].startswith("say seen")
    url = f"data:image/png;base64,{base64.b64encode(samples.PNG).decode()}"
    assert pictures == [{"type": "image_url", "image_url": {"url": url, "detail": "low"}}]
    report = await in_thread(reports.public, run)
    assert [one["tokens"] for one in report["pictures"]] == [2833]
    assert 2833 < report["tokens"] <= report["max_tokens"]
    await answered(alice, conversation, "say again")
    assert isinstance(provider.last.body["messages"][-1]["content"], str)


@pytest.mark.parametrize("tokens", [0, 3600])
async def test_a_model_that_takes_none_is_told_the_name(alice: User, provider: Provider, tokens: int) -> None:
    """Nor is one sent that would leave no room for words."""
    conversation = await in_thread(conversation_with, alice, "openai")
    with override_settings(ASSISTANT_CONTEXTS={"openai": {"model": "small", "picture_tokens": tokens}}):
        run = await answered(alice, conversation, "say told", ("a.png", samples.PNG))
    assert "[File: a.png (image/png)." in provider.last.body["messages"][-1]["content"]
    assert (await in_thread(reports.public, run))["pictures"] == []
