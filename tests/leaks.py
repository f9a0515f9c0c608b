"""What must never be in a log, whoever writes it: looked for in everything that the product logs while it is tested."""

import re

PASSWORD = "correct horse battery 9"
# To be said, written and uploaded by tests.
CANARY = "The persimmons are hidden behind the blue door"
LEAK = re.compile(
    "|".join(
        (
            re.escape(PASSWORD),
            "persimmons? are hidden",
            r"eyJ[\w-]{10,}\.[\w-]{10,}",  # a JSON Web Token
            r"\bck_[\w-]{16,}",
            r"\bsessionid=\w{20,}",
            r"\b(?:postgres(?:ql)?|rediss?)://[^\s:/]*:[^\s@/]+@",
            r"[\w.+-]+@[\w-]+\.[a-z]{2,}\b",
            r"\b[Bb]earer [\w-]{20,}",
        )
    )
)


def leaks(text: str) -> list[str]:
    """The lines that hold a secret."""
    return [line[:500] for line in text.splitlines() if LEAK.search(line)]
