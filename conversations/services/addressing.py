"""Who is meant by `@name` in a message: assistants, each by the name under which it is offered."""

import re

from conversations.assistants import registry

# Names that are heeded in one message at most, the first ones.
MOST = 5
# Not what stands in an address (`ada@example.com`); a full stop at the end belongs to the sentence.
NAME = re.compile(r"(?<![\w.@+-])@(\w+(?:[.-]\w+)*)")


def named(text: str) -> list[str]:
    """The assistants that `text` addresses, in its order and once each."""
    offered = {name.casefold(): name for name in registry.available()} if "@" in text else {}
    found = [offered[word.casefold()] for word in NAME.findall(text) if word.casefold() in offered]
    return list(dict.fromkeys(found))[:MOST]


def without_names(text: str) -> str:
    """`text` without the names of assistants in front of it, for those that look at every word."""
    match = NAME.match(stripped := text.lstrip())
    if match is None or not named(match[0]):
        return text
    return without_names(stripped[match.end() :].lstrip(" ,:;\n"))
