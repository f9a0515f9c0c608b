"""Any OpenAI-compatible model, through the official SDK: Chat Completions, streamed."""

from collections.abc import AsyncIterator

import openai
from django.conf import settings
from openai import AsyncOpenAI, AsyncStream, Timeout
from openai.types.chat import ChatCompletionChunk

from conversations.assistants.base import AssistantError, Turn

ROLES = {"user": "user", "agent": "user", "assistant": "assistant", "system": "system"}


class OpenAIAssistant:
    """Sends system prompt and history, and nothing else; one call per turn, never repeated by itself."""

    def __init__(self) -> None:
        self.client = AsyncOpenAI(
            api_key=settings.OPENAI_API_KEY,
            base_url=settings.OPENAI_BASE_URL or None,
            max_retries=0,
            timeout=Timeout(settings.PROVIDER_STALL_SECONDS, connect=settings.PROVIDER_CONNECT_SECONDS),
        )

    async def answer(self, turn: Turn) -> None:
        """Stream one completion. Cancelling closes the connection. Raises AssistantError."""
        try:
            await self._stream(turn)
        except openai.APITimeoutError as error:
            raise AssistantError("provider_timeout", "The model did not answer in time.") from error
        except openai.APIConnectionError as error:
            raise AssistantError("provider_unreachable", "The model cannot be reached.") from error
        except openai.APIStatusError as error:
            raise AssistantError(*_refusal(error.status_code)) from error
        except openai.APIError as error:
            raise _broke_off() from error

    async def _stream(self, turn: Turn) -> None:
        stream = await self.client.chat.completions.create(
            model=settings.OPENAI_MODEL,
            messages=await _messages(turn),
            stream=True,
            stream_options={"include_usage": True},
        )
        finished = False
        async with stream:
            async for chunk in _chunks(stream):
                if chunk.usage:
                    turn.usage = {
                        "input_tokens": chunk.usage.prompt_tokens,
                        "output_tokens": chunk.usage.completion_tokens,
                    }
                for choice in chunk.choices:
                    await turn.emit(choice.delta.content or "")
                    finished = finished or choice.finish_reason is not None
        if not finished:
            raise _broke_off()


async def _chunks(stream: AsyncStream[ChatCompletionChunk]) -> AsyncIterator[ChatCompletionChunk]:
    """The chunks of a stream that has begun: what cannot be read, or not to its end, was broken off."""
    try:
        async for chunk in stream:
            yield chunk
    except openai.APITimeoutError:
        raise
    except (openai.APIConnectionError, ValueError) as error:
        raise _broke_off() from error


def _broke_off() -> AssistantError:
    return AssistantError("provider_error", "The model broke off its answer.")


async def _messages(turn: Turn) -> list:
    system = [{"role": "system", "content": settings.OPENAI_SYSTEM_PROMPT}] if settings.OPENAI_SYSTEM_PROMPT else []
    return system + [{"role": ROLES[role], "content": text} for role, text in await turn.history()]


def _refusal(status: int) -> tuple[str, str]:
    if status in (401, 403):
        return "provider_refused", "The model's provider refused our key."
    if status == 429:
        return "provider_busy", "The model's provider has too much to do; try again later."
    if status >= 500:
        return "provider_error", "The model's provider has an error."
    return "provider_rejected", f"The model's provider rejected the request (status {status})."
