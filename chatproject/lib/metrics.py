"""Every metric of the product, in one place; documented in docs/metrics.md (a test compares)."""

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10)

ws_connections = Gauge("ws_connections", "Open WebSockets.", multiprocess_mode="livesum")
connections_open = Gauge(
    "connections_open",
    "Open WebSockets and streams of server-sent events that the rooms know of.",
    multiprocess_mode="livesum",
)
rooms_open = Gauge(
    "rooms_open", "Conversations that somebody is connected to, by process.", multiprocess_mode="livesum"
)
sessions_started = Counter("sessions_started_total", "Sessions begun, by kind.", ["kind"])
session_seconds = Histogram(
    "session_seconds",
    "How long sessions lasted, from the first to the last sign of life.",
    ["kind"],
    buckets=(1, 10, 60, 300, 900, 3600, 4 * 3600, 24 * 3600),
)
sessions_open = Gauge("sessions_open", "Sessions that are open, of everybody.", multiprocess_mode="mostrecent")
sessions_last_hour = Gauge(
    "sessions_last_hour", "Sessions begun in the last hour, of everybody.", multiprocess_mode="mostrecent"
)
sessions_mean_seconds = Gauge(
    "sessions_mean_seconds",
    "How long sessions lasted on average, of those begun in the last 24 hours.",
    multiprocess_mode="mostrecent",
)
sessions_peak = Gauge(
    "sessions_peak", "Most sessions open at once in the last 24 hours, of everybody.", multiprocess_mode="mostrecent"
)
connections_peak = Gauge(
    "connections_peak", "Most connections at once since the processes started.", multiprocess_mode="livesum"
)
sync_latency = Histogram(
    "sync_latency_seconds",
    "From the commit of an event to its hand-over to the sockets.",
    buckets=LATENCY_BUCKETS,
)
requests = Counter("requests_total", "HTTP requests answered.", ["method", "route", "status"])
request_seconds = Histogram("request_seconds", "Time to answer an HTTP request.", buckets=LATENCY_BUCKETS)
errors = Counter("errors_total", "Errors told to clients, by door and code.", ["door", "code"])
runs = Counter("runs_total", "Runs ended, by assistant and status.", ["assistant", "status"])
tokens = Counter("tokens_total", "Tokens of runs, by assistant and kind: input, output, cached.", ["assistant", "kind"])
cost = Counter("cost_total", "Cost of runs by the table of prices.", ["assistant", "currency"])
first_delta = Histogram(
    "run_first_delta_seconds", "From a queued run to its first stored delta.", buckets=LATENCY_BUCKETS
)
context_seconds = Histogram(
    "context_seconds", "Time to make a context, by strategy.", ["strategy"], buckets=LATENCY_BUCKETS
)
assistant_builds = Counter(
    "assistant_builds_total", "Assistants that were built, by what came of it.", ["assistant", "state"]
)
assistant_build_seconds = Histogram(
    "assistant_build_seconds", "Time to build an assistant.", ["assistant"], buckets=LATENCY_BUCKETS
)
assistant_calls = Counter(
    "assistant_calls_total",
    "Calls of assistants, by outcome: done, failed, stopped, other, suspended.",
    ["assistant", "outcome"],
)
assistant_calls_active = Gauge(
    "assistant_calls_active", "Calls of assistants that go on.", ["assistant"], multiprocess_mode="livesum"
)
assistant_calls_waiting = Gauge(
    "assistant_calls_waiting", "Calls of assistants that wait for a place.", ["assistant"], multiprocess_mode="livesum"
)
provider_retries = Counter(
    "provider_retries_total",
    "Calls of providers made again, because they failed or were throttled.",
    ["assistant", "reason"],
)
breaker_opened = Counter("breaker_opened_total", "Times that an assistant's circuit breaker opened.", ["assistant"])
breaker_open = Gauge(
    "breaker_open",
    "Whether an assistant is left alone because it failed too often.",
    ["assistant"],
    multiprocess_mode="mostrecent",
)
summaries = Counter("summaries_total", "Summaries stored, by who wrote them.", ["author"])
events = Counter("events_total", "Events committed to the log, by type.", ["type"])
events_lost = Counter("events_lost_total", "Events that a room had to read from the log because no hint brought them.")
commits = Counter("commits_total", "Commits of the log writer.")
commit_failures = Counter("commit_failures_total", "Group commits that failed and were retried one by one.")
exports = Counter("exports_total", "Exports of many conversations that ended, by outcome.", ["outcome"])
batches = Counter("batches_total", "Batches that ended, by outcome.", ["outcome"])
batch_rows = Counter("batch_rows_total", "Questions of batches that ended, by outcome.", ["outcome"])
reports = Counter("reports_total", "Reports that ended, by outcome.", ["outcome"])
imports = Counter("imports_total", "Conversations imported from files, by form.", ["form"])
refusals = Counter(
    "refusals_total",
    "What was answered `unavailable`, by reason: away, connections, slow, writes.",
    ["reason"],
)
hellos_put_off = Counter("hellos_put_off_total", "Clients that were told to say hello later, because many did at once.")
rate_limited = Counter("rate_limited_total", "What was refused because it came too often, by limit.", ["limit"])
floods = Counter("floods_total", "Connections that were closed because they sent on while they were refused.")
hints_failed = Counter("hints_failed_total", "Hints that could not be published; the poll delivers instead.")
file_bytes = Counter("file_bytes_total", "Bytes of files stored.")
files_unread = Counter("files_unread_total", "Documents whose text could not be drawn in time.")
jobs = Counter("jobs_total", "Background jobs, by name and outcome.", ["job", "outcome"])
privacy_findings = Counter(
    "privacy_findings_total",
    "Numbers of cards and the like that were found, by pattern and policy.",
    ["pattern", "policy"],
)
search_seconds = Histogram("search_seconds", "Time to search, by mode.", ["mode"], buckets=LATENCY_BUCKETS)
embedding_failures = Counter("embedding_failures_total", "Requests for vectors that failed.")
snapshots = Counter("snapshots_total", "Snapshots taken, by reason.", ["reason"])
integrity_findings = Counter("integrity_findings_total", "What verifying found, by kind.", ["kind"])
integrity_repairs = Counter("integrity_repairs_total", "Conversations that were repaired from their logs.")
resynchronised = Counter("resynchronised_total", "Conversations whose rows were made right before a write.")
snapshots_bad = Counter("snapshots_bad_total", "Snapshots that were damaged and passed over.")
sweeps = Counter("sweeper_actions_total", "What the sweeper mended.", ["action"])
lifecycle = Counter(
    "lifecycle_total", "Conversations archived (idle), erased (retention) and expired (temporary).", ["action"]
)

windows = Counter("windows_total", "Newest pages of messages, by where they came from: memory, redis, miss.", ["place"])
user_states = Counter("user_states_total", "Preferences of users, by where they came from: redis, miss.", ["place"])


def exposition() -> tuple[bytes, str]:
    """The metrics of all processes of this machine (of this one alone without PROMETHEUS_MULTIPROC_DIR)."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return generate_latest(registry), CONTENT_TYPE_LATEST
