"""How often, and how much at the same time (PROTOCOL.md section 8); docs/limits.md tells for whom. 0 = no limit."""

from chatproject.lib import environment as env

# Whether any of these limits applies; without, a load test can come from one place.
LIMITS_APPLY = env.flag("LIMITS_APPLY", True)
# Proxies in front of the web servers that add to X-Forwarded-For: the address of a client is so many entries from its
# end; 0 = the header counts for nothing.
NUM_PROXIES = env.number("NUM_PROXIES", 0)

# --- How often --------------------------------------------------------------------------------------------

# Log-ins a minute of one user name from one address; of one user name from anywhere; of one address.
LIMIT_LOGIN = env.number("LIMIT_LOGIN", 10)
LIMIT_LOGIN_USER = env.number("LIMIT_LOGIN_USER", 30)
LIMIT_LOGIN_ADDRESS = env.number("LIMIT_LOGIN_ADDRESS", 100)
# Sign-ups an hour of one address.
LIMIT_REGISTER = env.number("LIMIT_REGISTER", 30)
# Tokens that are renewed or revoked in a minute from one address.
LIMIT_TOKEN = env.number("LIMIT_TOKEN", 600)
# Tickets a minute of one user.
LIMIT_TICKET = env.number("LIMIT_TICKET", 60)
# Looks at shared conversations a minute from one address.
LIMIT_SHARE = env.number("LIMIT_SHARE", 60)
# Exports a minute of one user.
LIMIT_EXPORT = env.number("LIMIT_EXPORT", 60)
# Files that one user uploads or imports in a minute.
LIMIT_UPLOAD = env.number("LIMIT_UPLOAD", 120)
# Times a minute that one user connects a socket or a stream.
LIMIT_HELLO = env.number("LIMIT_HELLO", 600)
# Messages a minute of one user, and of everybody in one conversation.
LIMIT_SEND = env.number("LIMIT_SEND", 600)
LIMIT_CONVERSATION = env.number("LIMIT_CONVERSATION", 6000)
# Reads a minute of one user.
LIMIT_FETCH = env.number("LIMIT_FETCH", 600)
# Other changes a minute of one user: titles, ratings, notes that something was read, shared state.
LIMIT_CHANGE = env.number("LIMIT_CHANGE", 1200)
# Answers a minute that one user asks for.
LIMIT_RUN = env.number("LIMIT_RUN", 120)
# Calls of assistants a second on one machine; those beyond wait.
LIMIT_ASSISTANT_CALLS = env.number("LIMIT_ASSISTANT_CALLS", 100)

# --- How much ---------------------------------------------------------------------------------------------

# Sockets and streams that one user may have open at the same time.
SOCKETS_PER_USER = env.number("SOCKETS_PER_USER", 200)
# Answers that are queued or running for one user at the same time.
RUNS_PER_USER = env.number("RUNS_PER_USER", 50)
# Tokens that assistants may take for one user in a day (UTC).
TOKENS_PER_DAY = env.number("TOKENS_PER_DAY", 0)
# Frames that are refused because they come too often, within ten seconds, after which a connection is closed (4029).
FLOOD_REFUSALS = env.number("FLOOD_REFUSALS", 100, least=1)
