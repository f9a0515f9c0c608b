"""Wrong settings, found before anybody is served: each with an id, a sentence, and the cure.

`manage.py check` runs what costs nothing, `manage.py check --deploy --database default` all of it.
Servers and workers run all of it when they start, and refuse to where anything is wrong.
"""

import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register, run_checks
from django.db import connection
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from accounts import keypairs, outside
from chatproject.lib.crypto import CryptoError, Keyring
from conversations import primary_keys
from conversations.context import encodings, tokens
from conversations.privacy.patterns import patterns
from conversations.search import embedders

log = logging.getLogger(__name__)

# The tag of all these checks.
START = "start"
SECRET_KEY_LENGTH = 32
POSTGRES = 160000
REDIS = (6, 2)
FACTS = (
    "SELECT current_setting('server_version_num')::int, current_setting('fsync') = 'on',"
    " current_setting('synchronous_commit') <> 'off',"
    " EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector')"
)


@dataclass(frozen=True)
class Facts:
    """What matters of a PostgreSQL server."""

    version: int
    fsync: bool
    synchronous_commit: bool
    vector: bool


def refuse_unless_sound() -> None:
    """For servers: log what is doubtful, and end the process with sentences where something is wrong."""
    found = run_checks(tags=[START], include_deployment_checks=True, databases=["default"])
    for message in found:
        if not message.is_serious():
            log.warning("%s: %s %s", message.id, message.msg, message.hint)
    wrong = [message for message in found if message.is_serious()]
    if wrong:
        sys.stderr.write("".join(f"{message.id}: {message.msg} {message.hint}\n" for message in wrong))
        raise SystemExit(1)


@register(START, deploy=True)
def secrets_given(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Before the first `serve` there are none yet, so only those who serve insist on them."""
    found: list[CheckMessage] = []
    if not settings.HAS_SECRET_KEY:
        hint = "Set SECRET_KEY to at least 32 random characters, or let `manage.py serve` make one in DATA_DIR."
        found.append(Error("SECRET_KEY is not set, and DATA_DIR holds none.", hint=hint, id="chatproject.E001"))
    if not settings.ENCRYPTION_KEYS:
        hint = "Set ENCRYPTION_KEYS to <id>:<base64 of 32 random bytes>, or let `manage.py serve` make it in DATA_DIR."
        found.append(Error("ENCRYPTION_KEYS is not set, and DATA_DIR holds none.", hint=hint, id="chatproject.E003"))
    return found


@register(START)
def secrets_valid(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.HAS_SECRET_KEY and len(settings.SECRET_KEY) < SECRET_KEY_LENGTH:
        hint = f"Set it to at least {SECRET_KEY_LENGTH} random characters; everybody has to log in again."
        found.append(Error("SECRET_KEY is too short to be safe.", hint=hint, id="chatproject.E002"))
    try:
        weak = Keyring(settings.ENCRYPTION_KEYS).weak() if settings.ENCRYPTION_KEYS else []
        if weak:
            hint = "Make one with `manage.py rotate_keys --make`, wrap everything by it, then take this one out."
            text = f"These keys in ENCRYPTION_KEYS can be guessed: {', '.join(weak)}."
            found.append(Error(text, hint=hint, id="chatproject.E006"))
    except CryptoError as error:
        hint = "Set ENCRYPTION_KEYS to words of the form <id>:<base64 of 32 bytes>, the one in use first."
        found.append(Error(f"ENCRYPTION_KEYS cannot be used: {error}.", hint=hint, id="chatproject.E004"))
    return found


@register(START, deploy=True)
def tokenizer_ready(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Loads it too, so that nobody waits for that later."""
    try:
        for name in tokens.configured():
            encodings.get(name)
    except OSError as error:
        hint = "Make TOKENIZER_DIR (in DATA_DIR unless set) a folder that can be written."
        return [Error(f"The tokenizer's files cannot be unpacked: {error}.", hint=hint, id="chatproject.E005")]
    return []


@register(START)
def patterns_exist(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    try:
        patterns()
    except (ImportError, TypeError) as error:
        hint = "Give dotted paths of patterns, separated by commas; docs/privacy.md tells what one is."
        return [Error(f"PRIVACY_PATTERNS cannot be used: {error}.", hint=hint, id="chatproject.E030")]
    return []


@register(START)
def embedder_exists(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if not embedders.is_set_up():
        return []
    try:
        embedders.get(settings.EMBEDDING_MODEL)
    except Exception as error:
        hint = "Give the dotted path of an embedder and a model that it knows, or unset EMBEDDER; see docs/search.md."
        return [Error(f"EMBEDDER cannot be used: {error}.", hint=hint, id="chatproject.E040")]
    return []


@register(START)
def signing_keys_valid(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    try:
        keypairs.pairs()
    except (OSError, ValueError) as error:
        hint = "Make one with `openssl genrsa -out <file> 2048`, or unset it: then SECRET_KEY signs."
        return [Error(f"TOKEN_PRIVATE_KEY_FILE cannot be used: {error}.", hint=hint, id="chatproject.E050")]
    return []


@register(START)
def outside_provider_valid(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if not settings.OUTSIDE_JWKS_URL:
        return []
    complete = settings.OUTSIDE_ISSUER and settings.OUTSIDE_AUDIENCE
    pinned = settings.OUTSIDE_ALGORITHM in outside.ALGORITHMS
    if complete and pinned and settings.OUTSIDE_JWKS_URL.startswith(("https://", "http://")):
        return []
    hint = f"Set OUTSIDE_ISSUER, OUTSIDE_AUDIENCE and OUTSIDE_ALGORITHM (one of {', '.join(outside.ALGORITHMS)}) too."
    return [Error("OUTSIDE_JWKS_URL is set, but not all that belongs to it.", hint=hint, id="chatproject.E051")]


@register(Tags.database, START)
def database_suits(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> Iterable[CheckMessage]:
    """Connects past the pool, which would wait, and hide why it cannot."""
    if not databases:
        return []
    try:
        with psycopg.connect(**connection.get_connection_params()) as direct:
            row = direct.execute(FACTS).fetchone()
            needed = _keys_needed(direct)
    except psycopg.Error as error:
        hint = "Start PostgreSQL, or correct DATABASE_URL (unset it for the embedded server of `manage.py serve`)."
        reason = " ".join(str(error).split())
        return [Error(f"DATABASE_URL leads to no database: {reason}.", hint=hint, id="chatproject.E010")]
    assert row
    return [*judge(Facts(*row)), *judge_keys(needed)]


def _keys_needed(direct: "psycopg.Connection[Any]") -> list[str]:
    """The ids of the primary keys that rows need; none before the tables are there, or know."""
    ready = direct.execute("SELECT to_regclass('conversation_primary_key') IS NOT NULL").fetchone()
    if not ready or not ready[0]:
        return []
    return [id_ for (id_,) in direct.execute(primary_keys.IN_USE).fetchall()]


def judge_keys(needed: Iterable[str]) -> list[CheckMessage]:
    """What is wrong where rows were wrapped by keys of these ids."""
    known = {line.partition(":")[0] for line in settings.ENCRYPTION_KEYS}
    missing = sorted(set(needed) - known)
    if not missing or not known:
        return []
    text = f"ENCRYPTION_KEYS lacks keys that conversations are wrapped by: {', '.join(missing)}."
    hint = "Put them back behind the first; `manage.py rotate_keys` says when one is not needed any more."
    return [Error(text, hint=hint, id="chatproject.E007")]


def judge(facts: Facts) -> list[CheckMessage]:
    """What is wrong with a PostgreSQL server."""
    rules = (
        (facts.version >= POSTGRES, "E011", "DATABASE_URL leads to a PostgreSQL older than 16.", "Use 16 or newer."),
        (
            facts.vector,
            "E012",
            "The PostgreSQL of DATABASE_URL has no extension `vector`.",
            "Install pgvector on its server, for example the package postgresql-16-pgvector.",
        ),
        (
            facts.fsync,
            "E013",
            "The PostgreSQL of DATABASE_URL runs with fsync off: what was acknowledged could be lost.",
            "Set fsync = on in its postgresql.conf.",
        ),
        (
            facts.synchronous_commit,
            "E014",
            "The PostgreSQL of DATABASE_URL runs with synchronous_commit off: what was acknowledged could be lost.",
            "Set synchronous_commit = on for the server, the database and the role.",
        ),
    )
    return [Error(text, hint=hint, id=f"chatproject.{number}") for good, number, text, hint in rules if not good]


@register(Tags.database, START)
def redis_suits(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> Iterable[CheckMessage]:
    """Redis may be away, but not wrong."""
    if not databases:
        return []
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
            return [*judge_redis(client.info("server")["redis_version"]), *judge_memory(client.info("memory"))]
    except (ValueError, AuthenticationError, ResponseError) as error:
        hint = "Set REDIS_URL to redis://[:password@]host:port/0, or unset it for the embedded server."
        return [Error(f"REDIS_URL cannot be used: {error}.", hint=hint, id="chatproject.E020")]
    except (RedisError, OSError) as error:
        hint = "Start it, or correct REDIS_URL; until then rooms poll the database."
        return [checks.Warning(f"The Redis of REDIS_URL does not answer: {error}.", hint=hint, id="chatproject.W020")]


def judge_redis(version: str) -> list[CheckMessage]:
    """What is wrong with a Redis server of this version."""
    if tuple(int(part) for part in version.split(".")[:2]) >= REDIS:
        return []
    return [Error(f"REDIS_URL leads to Redis {version}.", hint="Use 6.2 or newer.", id="chatproject.E021")]


def judge_memory(memory: Mapping[str, Any]) -> list[CheckMessage]:
    """What is doubtful about the memory of a Redis server, from its INFO. Everything in it may be forgotten
    and has a time to live, so that every policy that evicts is right."""
    if not memory.get("maxmemory"):
        hint = "Set maxmemory in its configuration, for example to 256mb, and maxmemory-policy to allkeys-lru."
        return [checks.Warning("The Redis of REDIS_URL has no maxmemory.", hint=hint, id="chatproject.W021")]
    if memory.get("maxmemory_policy", "noeviction") == "noeviction":
        hint = "Set maxmemory-policy to allkeys-lru; nothing in Redis is the only copy."
        text = "The Redis of REDIS_URL refuses writes when it is full (maxmemory-policy noeviction)."
        return [checks.Warning(text, hint=hint, id="chatproject.W022")]
    return []
