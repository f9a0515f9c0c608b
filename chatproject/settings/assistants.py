"""Who answers: assistants, models, workers, and what a model is sent."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from chatproject.lib import environment as env
from chatproject.lib import prices
from chatproject.settings.places import DATA_DIR

# --- Runs ------------------------------------------------------------------------------------------------

# Assistants by name, as the dotted path of a class, or as the configuration of a kind: `{"kind": name, …}`. Each is
# built once per process.
ASSISTANTS: dict[str, str | dict[str, Any]] = {
    "guide": "conversations.assistants.builtin.guide.Guide",
    "openai": "conversations.assistants.builtin.openai.OpenAIAssistant",
}
# What can be connected at run time, by the name of its kind: dotted paths of `conversations.connectors.kind.Kind`.
CONNECTOR_KINDS = {
    "openai": "conversations.connectors.kinds.openai.KIND",
    "http": "conversations.connectors.kinds.http.KIND",
    "mcp": "conversations.connectors.kinds.mcp.KIND",
    "python": "conversations.connectors.kinds.python.KIND",
    "router": "conversations.connectors.kinds.composed.ROUTER",
    "fanout": "conversations.connectors.kinds.composed.FANOUT",
    "team": "conversations.connectors.kinds.composed.TEAM",
}
# Commands that connectors to MCP servers may start on this machine, and modules whose classes `python` ones may use.
CONNECTOR_COMMANDS = env.words("CONNECTOR_COMMANDS")
CONNECTOR_MODULES = env.words("CONNECTOR_MODULES")
# Tools that models may call, by name: dotted paths of classes (docs/assistants.md).
TOOLS: dict[str, str] = {}
# Rounds of tool calls after which an answer fails.
TOOL_ROUNDS = env.number("TOOL_ROUNDS", 8, least=1)
# Kinds of assistants that are made of a configuration, by name and dotted path.
ASSISTANT_KINDS = {
    "router": "conversations.assistants.builtin.router.Router",
    "fanout": "conversations.assistants.builtin.fanout.Fanout",
    "team": "conversations.assistants.builtin.team.Team",
}
# Seconds after which an assistant that could not be built is tried again.
BUILD_RETRY_SECONDS = env.number("BUILD_RETRY_SECONDS", 10, least=0)
# The team that `action: agents` asks where nobody named one; empty = none.
DEFAULT_TEAM = env.text("DEFAULT_TEAM")
# Types of parts that messages may carry beside files, by name: dotted paths of `messagetypes.MessageType` objects.
MESSAGE_TYPES: dict[str, str] = {}
# What `send` can do, by the name in `action`: dotted paths of `conversations.actions.Action` objects.
ACTIONS = {
    "chat": "conversations.services.acts.CHAT",
    "agents": "conversations.services.acts.AGENTS",
    "stop": "conversations.services.acts.STOP",
    "batch": "conversations.batches.acting.BATCH",
    "report": "conversations.reports.acting.REPORT",
}
# The assistant that the chat page starts a conversation with.
DEFAULT_ASSISTANT = env.text("DEFAULT_ASSISTANT", "guide")
if DEFAULT_ASSISTANT not in ASSISTANTS:
    raise ImproperlyConfigured(f"DEFAULT_ASSISTANT is {DEFAULT_ASSISTANT!r}; set it to {' or '.join(ASSISTANTS)}.")
# Address of an OpenAI-compatible API; empty = the SDK's default.
OPENAI_BASE_URL = env.text("OPENAI_BASE_URL")
if OPENAI_BASE_URL and not OPENAI_BASE_URL.startswith(("http://", "https://")):
    raise ImproperlyConfigured(f"OPENAI_BASE_URL is {OPENAI_BASE_URL!r}; it must begin with http:// or https://.")
# Key for that API; empty = the assistant `openai` is not offered.
OPENAI_API_KEY = env.text("OPENAI_API_KEY")
# Model that the assistant `openai` asks for.
OPENAI_MODEL = env.text("OPENAI_MODEL", "gpt-4o-mini")
# Tokens that a picture takes in that model (at low detail, after OpenAI's pricing page); 0 = it takes none.
OPENAI_PICTURE_TOKENS = env.number("OPENAI_PICTURE_TOKENS", 2833, least=0)
# What the assistant `openai` is told first.
OPENAI_SYSTEM_PROMPT = env.text("OPENAI_SYSTEM_PROMPT", "You are a helpful assistant. Answer in Markdown.")
# Messages that fell out of its context and are about the question, which the assistant `openai` is told of at most.
OPENAI_RECALL = env.number("OPENAI_RECALL", 0, least=0)
# Names of the tools (TOOLS) that the assistant `openai` may call.
OPENAI_TOOLS = env.words("OPENAI_TOOLS")
# Seconds until a connection to a model must stand.
PROVIDER_CONNECT_SECONDS = env.number("PROVIDER_CONNECT_SECONDS", 10, least=1)
# Seconds without a byte from a model after which the run fails.
PROVIDER_STALL_SECONDS = env.number("PROVIDER_STALL_SECONDS", 30, least=1)
# Times that a provider is asked in all, where it failed before it said anything.
PROVIDER_ATTEMPTS = env.number("PROVIDER_ATTEMPTS", 3, least=1)
# Seconds that one answer waits at most while its provider says 429 with Retry-After.
PROVIDER_WAIT_SECONDS = env.number("PROVIDER_WAIT_SECONDS", 120, least=0)
# Seconds until an assistant must have given its first sign of life, and that it may be silent afterwards.
ASSISTANT_FIRST_TOKEN_SECONDS = env.number("ASSISTANT_FIRST_TOKEN_SECONDS", 60, least=1)
ASSISTANT_STALL_SECONDS = env.number("ASSISTANT_STALL_SECONDS", 60, least=1)
# Seconds that one answer may take in all; 0 = as long as it takes.
ASSISTANT_TOTAL_SECONDS = env.number("ASSISTANT_TOTAL_SECONDS", 1800, least=0)
# Calls of one assistant at the same time, in one worker process, and how many more may wait there for their turn.
ASSISTANT_CONCURRENCY = env.number("ASSISTANT_CONCURRENCY", 100, least=1)
ASSISTANT_QUEUE = env.number("ASSISTANT_QUEUE", 100, least=0)
# The circuit breaker of an assistant opens where so many percent of its calls failed in so many seconds, of so many
# calls at least, on one machine; it stays open for so many seconds, then one call tries.
BREAKER_ERROR_PERCENT = env.number("BREAKER_ERROR_PERCENT", 5, least=1)
BREAKER_WINDOW_SECONDS = env.number("BREAKER_WINDOW_SECONDS", 60, least=10)
BREAKER_CALLS = env.number("BREAKER_CALLS", 20, least=1)
BREAKER_OPEN_SECONDS = env.number("BREAKER_OPEN_SECONDS", 300, least=1)
# What tokens cost, as JSON by name of an assistant or a model: `{input, cached?, output, currency?}` per million.
PRICES = prices.read(env.text("PRICES"))
# Assistants that ask no model: where they say nothing of tokens, none are counted for them.
UNCOUNTED_ASSISTANTS = env.words("UNCOUNTED_ASSISTANTS", "guide")
# Folder of the tokenizer's files, made at the first start.
TOKENIZER_DIR = Path(env.text("TOKENIZER_DIR") or DATA_DIR / "tokenizer")
# Milliseconds that pieces of an answer are gathered before they are stored and shown.
DELTA_MS = env.number("DELTA_MS", 40, least=1)
# Code points of one answer at most; what comes after is cut and the run is stopped.
ANSWER_MAX_LENGTH = env.number("ANSWER_MAX_LENGTH", 100_000, least=1)
# Bytes of one answer as JSON at most, so that the event that ends it fits into one frame (BATCH_MAX_BYTES) with all
# that is around it: some 80,000 characters of Chinese.
ANSWER_MAX_BYTES = env.number("ANSWER_MAX_BYTES", 240 * 1024, least=1024)
# Bytes of one step's input or output that are stored at most.
STEP_MAX_BYTES = env.number("STEP_MAX_BYTES", 16384, least=64)
# Runs that one worker process has in hand at the same time; more than one assistant's calls and queue, so that one
# that hangs leaves room for others.
WORKER_CONCURRENCY = env.number("WORKER_CONCURRENCY", 400, least=1)
# Background jobs that one worker process does at the same time; 0 = it only answers.
BACKGROUND_CONCURRENCY = env.number("BACKGROUND_CONCURRENCY", 2, least=0)
# How much of the time jobs that nobody waits for (snapshots, checks of the log) may work.
BACKGROUND_PERCENT = env.number("BACKGROUND_PERCENT", 10, least=1)
# Seconds between two looks for jobs of dead workers; 0 = never.
MEND_QUEUE_SECONDS = env.number("MEND_QUEUE_SECONDS", 30, least=0)
# Seconds after its last renewal at which a run's lease ends; a dead worker is noticed this soon.
LEASE_SECONDS = env.number("LEASE_SECONDS", 12, least=2)
# Seconds between two sweeps for dead runs and lost jobs.
SWEEP_SECONDS = env.number("SWEEP_SECONDS", 3, least=1)

# --- Contexts --------------------------------------------------------------------------------------------

# Strategies that choose what of a conversation is sent, by name.
CONTEXT_STRATEGIES = {
    "window": "conversations.context.window.Window",
    "recent": "conversations.context.recent.Recent",
    "summary": "conversations.context.summary.Summary",
}
# The strategy unless an assistant is configured with another.
CONTEXT_STRATEGY = env.text("CONTEXT_STRATEGY", "window")
if CONTEXT_STRATEGY not in CONTEXT_STRATEGIES:
    raise ImproperlyConfigured(
        f"CONTEXT_STRATEGY is {CONTEXT_STRATEGY!r}; set it to {' or '.join(CONTEXT_STRATEGIES)}."
    )
# Model whose tokens are counted unless an assistant is configured with another.
CONTEXT_MODEL = env.text("CONTEXT_MODEL", "gpt-4o-mini")
# What each assistant is sent, where it differs from the defaults: `{model, system, strategy, max_tokens,
# max_messages, picture_tokens}` by name, all of them optional; `system` is its system prompt.
ASSISTANT_CONTEXTS: dict[str, dict[str, Any]] = {
    "guide": {"max_messages": 1},
    "openai": {"model": OPENAI_MODEL, "system": OPENAI_SYSTEM_PROMPT, "picture_tokens": OPENAI_PICTURE_TOKENS},
}
# Tokens of a context at most, of `window` and `summary`.
CONTEXT_TOKENS = env.number("CONTEXT_TOKENS", 4000, least=64)
# Messages that `window` sends at most; where there are more, so many of the newest and what is pinned.
CONTEXT_MESSAGES = env.number("CONTEXT_MESSAGES", 100, least=1)
CONTEXT_NEWEST = env.number("CONTEXT_NEWEST", 80, least=1)
# Tokens of a context of `recent` at most.
CONTEXT_RECENT_TOKENS = env.number("CONTEXT_RECENT_TOKENS", 2048, least=64)
# What anybody may ask for at most.
CONTEXT_TOKENS_MAX = env.number("CONTEXT_TOKENS_MAX", 1_000_000, least=64)
CONTEXT_MESSAGES_MAX = env.number("CONTEXT_MESSAGES_MAX", 1000, least=1)
# Messages that are listed as left out at most.
CONTEXT_LEFT_OUT_MAX = env.number("CONTEXT_LEFT_OUT_MAX", 200, least=0)
# Tokens of one summary at most.
CONTEXT_SUMMARY_TOKENS = env.number("CONTEXT_SUMMARY_TOKENS", 200, least=64)
# The assistant that writes summaries; empty = they are made of the messages' own sentences.
CONTEXT_SUMMARISER = env.text("CONTEXT_SUMMARISER")
if CONTEXT_SUMMARISER and CONTEXT_SUMMARISER not in ASSISTANTS:
    raise ImproperlyConfigured(f"CONTEXT_SUMMARISER is {CONTEXT_SUMMARISER!r}; set it to {' or '.join(ASSISTANTS)}.")
