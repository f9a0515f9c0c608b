"""What every answer tells browsers about itself (docs/security.md): what a page may load, and who may load it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# Nothing but our own files: no inline code, no other host, no frame around a page or in it. For Swagger UI as it is.
API_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# In our pages, what scripts make into markup passes the one policy of static/conversations/markup.js as well.
PAGES = f"{API_PAGE}; require-trusted-types-for 'script'; trusted-types conversations"
# Django's admin with unfold: Alpine makes functions of what attributes say ('unsafe-eval'), and unfold writes colours
# and widths into its pages. Scripts are files here too.
ADMIN = API_PAGE.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'").replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
)
# What is no page: opened as one, it may do nothing.
DATA = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
# By the beginning of the path; the first that fits.
POLICIES = (("/admin/", ADMIN), ("/api/docs/", API_PAGE), ("/api/", DATA), ("/v1/", DATA), ("/", PAGES))
HEADERS = {
    # For browsers that do not know frame-ancestors; Django's own middleware does not see static files.
    "X-Frame-Options": "DENY",
    # Another site can neither show what is ours, nor hold on to a window of ours.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # What a page of ours never asks for, nothing that got into one may.
    "Permissions-Policy": ", ".join(
        f"{feature}=()"
        for feature in (
            "accelerometer",
            "browsing-topics",
            "camera",
            "display-capture",
            "geolocation",
            "gyroscope",
            "hid",
            "idle-detection",
            "magnetometer",
            "microphone",
            "midi",
            "payment",
            "serial",
            "usb",
            "xr-spatial-tracking",
        )
    ),
}


class SecurityHeaders:
    """Middleware. A view may set its own Content-Security-Policy; the others are everybody's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", policy_of(request.path))
        for name, value in HEADERS.items():
            response[name] = value
        return response


def policy_of(path: str) -> str:
    """The Content-Security-Policy of what lies at a path."""
    return next(policy for prefix, policy in POLICIES if path.startswith(prefix))
