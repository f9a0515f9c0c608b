"""What is durable: limits of conversations, files and exports, privacy, search, what is kept for how long."""

from django.core.exceptions import ImproperlyConfigured

from chatproject.lib import environment as env

# --- The log ---------------------------------------------------------------------------------------------

# Called after each commit with the list of what was committed; this is how hints leave.
EVENT_PUBLISHERS = ["realtime.broadcast.publish"]
# Makes the body of a `text/event-stream` answer; called with (user, conversation id, cursor).
EVENT_STREAM = "realtime.sse.stream"
# The same for all conversations of a user; called with (user, stream cursor).
USER_STREAM = "realtime.userstream.stream"
# The same for a shared conversation; called with (share, cursor).
SHARE_STREAM = "realtime.shared.stream"
# Appends that share one commit at most.
GROUP_COMMIT_MAX = env.number("GROUP_COMMIT_MAX", 500, least=1)
# Appends that may wait for a commit in one process before senders are told to try again.
GROUP_COMMIT_QUEUE = env.number("GROUP_COMMIT_QUEUE", 10000, least=1)
# Code points of one message at most.
MESSAGE_MAX_LENGTH = env.number("MESSAGE_MAX_LENGTH", 32000, least=1)
# Versions of one message that are listed at most; the log keeps all of them.
VERSIONS_MAX = env.number("VERSIONS_MAX", 50, least=2)
# Code points of a comment on a message at most.
COMMENT_MAX_LENGTH = env.number("COMMENT_MAX_LENGTH", 2000, least=1)
# Code points of a title at most.
TITLE_MAX_LENGTH = env.number("TITLE_MAX_LENGTH", 200, least=1)
# Code points of the reason for which a person is asked for at most.
REASON_MAX_LENGTH = env.number("REASON_MAX_LENGTH", 500, least=1)
# Bytes of a conversation's metadata at most.
METADATA_MAX_BYTES = env.number("METADATA_MAX_BYTES", 16384, least=2)
# Members of one conversation at most.
MEMBERS_MAX = env.number("MEMBERS_MAX", 1000, least=1)
# Hours that an Idempotency-Key is kept at least.
IDEMPOTENCY_HOURS = env.number("IDEMPOTENCY_HOURS", 24, least=1)
# Seconds within which a retry that only says so (x-stainless-retry-count) is matched to the request before it: as long
# as such clients wait for an answer; 0 = never.
RETRY_MATCH_SECONDS = env.number("RETRY_MATCH_SECONDS", 600, least=0)

# --- Files -----------------------------------------------------------------------------------------------

# Bytes of one file at most (20 MiB).
FILE_MAX_BYTES = env.number("FILE_MAX_BYTES", 20 * 1024 * 1024, least=1)
# Files of one conversation, and their bytes together, at most (1 GiB).
FILES_MAX = env.number("FILES_MAX", 1000, least=0)
FILES_MAX_BYTES = env.number("FILES_MAX_BYTES", 1024**3, least=0)
# Files of one message at most.
FILES_PER_MESSAGE = env.number("FILES_PER_MESSAGE", 10, least=0)
# Types of files that are taken, by what is in them; `*` stands for anything.
FILE_TYPES = env.words("FILE_TYPES", "*")
# Types that are refused all the same: programs.
FILE_TYPES_REFUSED = env.words(
    "FILE_TYPES_REFUSED", "application/vnd.microsoft.portable-executable,application/x-executable"
)
# Code points of the text that is drawn from a file at most, and seconds that this may take.
FILE_TEXT_MAX_LENGTH = env.number("FILE_TEXT_MAX_LENGTH", 200_000, least=1)
FILE_TEXT_SECONDS = env.number("FILE_TEXT_SECONDS", 10, least=1)
# Hours after which a file that no message carries is deleted; looked for every so many seconds.
FILE_UNATTACHED_HOURS = env.number("FILE_UNATTACHED_HOURS", 24, least=1)
CLEAR_FILES_SECONDS = env.number("CLEAR_FILES_SECONDS", 3600, least=0)

# --- Batches ---------------------------------------------------------------------------------------------

# Questions of one batch, and bytes of the file that they come from, at most (5 MiB).
BATCH_MAX_ROWS = env.number("BATCH_MAX_ROWS", 5000, least=1)
BATCH_FILE_MAX_BYTES = env.number("BATCH_FILE_MAX_BYTES", 5 * 1024 * 1024, least=1)
# Batches that are kept for one user at most.
BATCHES_MAX = env.number("BATCHES_MAX", 100, least=1)
# Questions of one batch that are asked at the same time, each in a conversation of its own.
BATCH_PARALLEL = env.number("BATCH_PARALLEL", 4, least=1)
# How often a question is asked at most where its answer is interrupted (its worker is killed).
BATCH_ATTEMPTS = env.number("BATCH_ATTEMPTS", 3, least=1)
# Seconds between two looks for batches that wait or whose worker is gone; 0 = never.
MEND_BATCHES_SECONDS = env.number("MEND_BATCHES_SECONDS", 10, least=0)

# --- People ----------------------------------------------------------------------------------------------

# Seconds between two looks for conversations whose agent's account was switched off; 0 = never.
MEND_DESK_SECONDS = env.number("MEND_DESK_SECONDS", 10, least=0)

# --- Reports ---------------------------------------------------------------------------------------------

# Reports that are kept for one user, and conversations that one is filled from, at most.
REPORTS_MAX = env.number("REPORTS_MAX", 100, least=1)
REPORT_CONVERSATIONS_MAX = env.number("REPORT_CONVERSATIONS_MAX", 100, least=1)
# Bytes of a report at most (20 MiB).
REPORT_MAX_BYTES = env.number("REPORT_MAX_BYTES", 20 * 1024 * 1024, least=1)
# Templates that are kept for one user (and as many for everybody), and bytes of one, at most (2 MiB).
REPORT_TEMPLATES_MAX = env.number("REPORT_TEMPLATES_MAX", 100, least=1)
REPORT_TEMPLATE_MAX_BYTES = env.number("REPORT_TEMPLATE_MAX_BYTES", 2 * 1024 * 1024, least=1)
# Questions that one template may ask an assistant, and characters of what was said that are put in front of them.
REPORT_QUESTIONS_MAX = env.number("REPORT_QUESTIONS_MAX", 20, least=0)
REPORT_CONTEXT_LENGTH = env.number("REPORT_CONTEXT_LENGTH", 8000, least=1)
# The font of PDF files (TTF, OTF or TTC); without, Noto Sans SC, which comes along.
REPORT_FONT = env.text("REPORT_FONT")
# Seconds between two looks for reports whose worker is gone; 0 = never.
MEND_REPORTS_SECONDS = env.number("MEND_REPORTS_SECONDS", 30, least=0)

# --- Privacy ---------------------------------------------------------------------------------------------

# What becomes of numbers of cards and the like: redact (replaced before storage), refuse, or store (and mark).
PRIVACY_POLICY = env.text("PRIVACY_POLICY", "redact")
if PRIVACY_POLICY not in ("redact", "refuse", "store"):
    raise ImproperlyConfigured(f"PRIVACY_POLICY is {PRIVACY_POLICY!r}; set it to redact, refuse or store.")
# Dotted paths of what is looked for, separated by commas; see docs/privacy.md for how to write one.
PRIVACY_PATTERNS = env.words(
    "PRIVACY_PATTERNS",
    "conversations.privacy.cards.CreditCards,conversations.privacy.ssn.SocialSecurityNumbers",
)

# --- Search ----------------------------------------------------------------------------------------------

# Different words of one text by which it can be found at most; of a longer one, the first.
SEARCH_WORDS_MAX = env.number("SEARCH_WORDS_MAX", 20_000, least=1)
# Code points of a query at most, and words of it that are looked for.
SEARCH_QUERY_MAX_LENGTH = env.number("SEARCH_QUERY_MAX_LENGTH", 200, least=1)
SEARCH_QUERY_WORDS = env.number("SEARCH_QUERY_WORDS", 40, least=1)
# Messages that are opened and compared for one query at most: the newest that fit.
SEARCH_CANDIDATES = env.number("SEARCH_CANDIDATES", 200, least=1)
# Conversations of one user that a query goes through at most: those that changed last.
SEARCH_CONVERSATIONS = env.number("SEARCH_CONVERSATIONS", 5000, least=1)
# What makes vectors for semantic search, a dotted path such as conversations.search.embedders.OpenAIEmbedder; empty
# = there is none. The vectors are not encrypted.
EMBEDDER = env.text("EMBEDDER")
# The model that it is to use; another one is built beside the one in use, and takes its place when it is complete.
EMBEDDING_MODEL = env.text("EMBEDDING_MODEL", "text-embedding-3-small")
# Address and key of an OpenAI-compatible endpoint for embeddings; empty = those of OPENAI_BASE_URL, OPENAI_API_KEY.
EMBEDDING_BASE_URL = env.text("EMBEDDING_BASE_URL") or env.text("OPENAI_BASE_URL")
EMBEDDING_API_KEY = env.text("EMBEDDING_API_KEY") or env.text("OPENAI_API_KEY")
# Seconds that one request for vectors may take.
EMBEDDING_TIMEOUT_SECONDS = env.number("EMBEDDING_TIMEOUT_SECONDS", 20, least=1)
# Texts of one request, and code points of a text that count at most.
EMBEDDING_BATCH = env.number("EMBEDDING_BATCH", 64, least=1)
EMBEDDING_TEXT_LENGTH = env.number("EMBEDDING_TEXT_LENGTH", 8000, least=1)
# Seconds between two looks for texts without a vector; 0 = never.
EMBED_SECONDS = env.number("EMBED_SECONDS", 10, least=0)
# Code points of a result's excerpt, about.
SEARCH_SNIPPET_LENGTH = env.number("SEARCH_SNIPPET_LENGTH", 200, least=20)

# --- Export and import -----------------------------------------------------------------------------------

# Bytes of a file that is imported at most.
IMPORT_MAX_BYTES = env.number("IMPORT_MAX_BYTES", 100 * 1024 * 1024, least=1024)
# Conversations of a file that is imported at most.
IMPORT_MAX_CONVERSATIONS = env.number("IMPORT_MAX_CONVERSATIONS", 10_000, least=1)
# Exports of many conversations that one user may have at the same time.
EXPORTS_MAX = env.number("EXPORTS_MAX", 5, least=1)
# Hours after which such an export is deleted (7 days).
EXPORT_KEEP_HOURS = env.number("EXPORT_KEEP_HOURS", 7 * 24, least=1)
# Seconds after its last sign of life at which an export may be taken over from a worker.
EXPORT_LEASE_SECONDS = env.number("EXPORT_LEASE_SECONDS", 30, least=1)
# Seconds between two looks for exports that have expired or lost their worker; 0 = never.
MEND_EXPORTS_SECONDS = env.number("MEND_EXPORTS_SECONDS", 60, least=0)

# --- Shares ----------------------------------------------------------------------------------------------

# Days that a link lives unless something else is asked for, and at most.
SHARE_DAYS = env.number("SHARE_DAYS", 7, least=1)
SHARE_MAX_DAYS = env.number("SHARE_MAX_DAYS", 365, least=1)
# Links to one conversation at most.
SHARES_MAX = env.number("SHARES_MAX", 100, least=1)
# Messages that one page of a shared conversation shows.
SHARE_PAGE = env.number("SHARE_PAGE", 100, least=1)
# Seconds within which further pages, the stream, and a password that was given belong to the same visit.
SHARE_VISIT_SECONDS = env.number("SHARE_VISIT_SECONDS", 3600, least=1)
# Wrong passwords for one link within so many seconds, after which no more are looked at.
SHARE_PASSWORD_TRIES = env.number("SHARE_PASSWORD_TRIES", 10, least=1)
SHARE_PASSWORD_SECONDS = env.number("SHARE_PASSWORD_SECONDS", 300, least=1)
# Streams that follow one link in one process at most (`room_full`), and milliseconds between two looks of a stream.
SHARE_STREAMS = env.number("SHARE_STREAMS", 200, least=1)
SHARE_STREAM_MS = env.number("SHARE_STREAM_MS", 250, least=10)

# --- Templates -------------------------------------------------------------------------------------------

# System messages, and pinned messages, of one template of conversations at most.
TEMPLATE_MESSAGES_MAX = env.number("TEMPLATE_MESSAGES_MAX", 20, least=0)
# Variables of one template at most.
TEMPLATE_VARIABLES_MAX = env.number("TEMPLATE_VARIABLES_MAX", 20, least=0)
# Characters (code points) that somebody may fill in for one variable at most.
TEMPLATE_INPUT_MAX_LENGTH = env.number("TEMPLATE_INPUT_MAX_LENGTH", 4000, least=1)

# --- Life cycle ------------------------------------------------------------------------------------------

# Seconds between two passes of the life-cycle job; 0 = never.
LIFECYCLE_SECONDS = env.number("LIFECYCLE_SECONDS", 60)
# Days without a word after which a conversation is archived (PROTOCOL.md section 8); 0 = never.
ARCHIVE_AFTER_DAYS = env.number("ARCHIVE_AFTER_DAYS", 7)
# Days after its archiving at which a conversation is erased, for example 30; 0 = never.
RETENTION_DAYS = env.number("RETENTION_DAYS", 0)
# Hours after which a temporary conversation is erased.
TEMPORARY_HOURS = env.number("TEMPORARY_HOURS", 24, least=1)
# Newest messages of a conversation that are kept ready in Redis and in memory at most (PROTOCOL.md section 8).
HOT_WINDOW_MESSAGES = env.number("HOT_WINDOW_MESSAGES", 101, least=1)
# Seconds that they are kept after they were last read, and altogether at most; 0 = nothing is kept ready.
HOT_WINDOW_SECONDS = env.number("HOT_WINDOW_SECONDS", 1800)
HOT_WINDOW_MAX_SECONDS = env.number("HOT_WINDOW_MAX_SECONDS", 7200, least=1)
# Seconds that Redis keeps those of an archived conversation (7 days).
COLD_WINDOW_SECONDS = env.number("COLD_WINDOW_SECONDS", 7 * 24 * 3600, least=1)
# Bytes of them, compressed, in the memory of one process at most.
HOT_WINDOW_BYTES = env.number("HOT_WINDOW_BYTES", 16 * 1024 * 1024, least=1024)
# Seconds that one statement of an erasure may take.
ERASE_SECONDS = env.number("ERASE_SECONDS", 60, least=1)

# Seconds between two looks for conversations that changed, of which a snapshot is taken; 0 = never.
CHECKPOINT_SECONDS = env.number("CHECKPOINT_SECONDS", 300, least=0)
# Messages that a snapshot holds: the newest ones.
SNAPSHOT_WINDOW = env.number("SNAPSHOT_WINDOW", 100, least=1)
# Periodic snapshots of a conversation that are kept, and those on demand; the newest of each.
SNAPSHOTS_KEPT = env.number("SNAPSHOTS_KEPT", 10, least=1)
SNAPSHOTS_KEPT_ON_DEMAND = env.number("SNAPSHOTS_KEPT_ON_DEMAND", 100, least=1)
# Events for which one older periodic snapshot is kept too, so that no state is far from one.
SNAPSHOT_SPACING = env.number("SNAPSHOT_SPACING", 5000, least=1)

# Seconds between two rounds of verifying, conversations of one round, and percent of the score below which what
# is derived is made again; 0 seconds = never.
VERIFY_SECONDS = env.number("VERIFY_SECONDS", 600, least=0)
VERIFY_BATCH = env.number("VERIFY_BATCH", 200, least=1)
VERIFY_LEAST = env.number("VERIFY_LEAST", 90, least=0)
