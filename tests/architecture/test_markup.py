"""Scripts make markup only of what passes the one policy of Trusted Types (chatproject/headers.py)."""

import re

from tests.architecture.code import APPS, BASE

SINKS = re.compile(r"(innerHTML|outerHTML)\s*\+?=(?!=|\s*markup\()|insertAdjacentHTML|document\.write|createPolicy")


def test_markup_is_made_in_one_place() -> None:
    scripts = [path for app in APPS for path in (BASE / app).glob("static/**/*.js")]
    assert scripts
    found = {path.name for path in scripts if SINKS.search(path.read_text())}
    assert found == {"markup.js"}, "use `markup(html)` of static/conversations/markup.js"
