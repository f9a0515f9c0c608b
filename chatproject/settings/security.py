"""Encryption on the way (TLS), and who may read figures."""

from chatproject.lib import environment as env

# Whether people reach the product by https only, through a proxy that does TLS and sets X-Forwarded-Proto: plain
# requests are turned away, cookies travel encrypted only, browsers are told to come by https (HSTS).
HTTPS = env.flag("HTTPS", False)
# Seconds that browsers remember to come by https (a year), once HTTPS is on; 0 = they are not told.
HSTS_SECONDS = env.number("HSTS_SECONDS", 365 * 24 * 3600)
# Whether that goes for all names below ours too.
HSTS_SUBDOMAINS = env.flag("HSTS_SUBDOMAINS", False)

# Believed only where the operator says that a proxy sets it; without, anybody could say that they came by https.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_SSL_REDIRECT = HTTPS
# Health checks come from inside, without TLS; programs are refused rather than sent elsewhere (transport.py).
SECURE_REDIRECT_EXEMPT = [r"^(livez|readyz|metrics)$", r"^(api|v1|chatkit)/"]
SECURE_HSTS_SECONDS = HSTS_SECONDS if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS and HSTS_SUBDOMAINS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
# With this prefix browsers take the cookie from nobody but this very host: no neighbour can put one in its place.
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"

# Whether names below ours, and a list inside of browsers, are bound to https too is for who has the domain to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# Token that `/metrics` asks for (`Authorization: Bearer …`); empty = it asks for none.
METRICS_TOKEN = env.text("METRICS_TOKEN")
