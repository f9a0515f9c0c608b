"""Names of files as people gave them, without what could lead somewhere or look like something else."""

import unicodedata

from chatproject.lib.errors import Problem

# What file systems take.
NAME_MAX_LENGTH = 255
# Categories of Unicode that cannot be seen: controls, formats (they turn the direction of text), surrogates,
# unassigned, line and paragraph separators.
UNSEEN = ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp")


def clean_name(name: str) -> str:
    """The last part of a path, without invisible characters, in NFC; cut to NAME_MAX_LENGTH before its extension.

    Raises Problem `invalid` where nothing is left.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    seen = "".join(c for c in unicodedata.normalize("NFC", last) if unicodedata.category(c) not in UNSEEN)
    cleaned = seen.strip().strip(".") and seen.strip()
    if not cleaned:
        raise Problem("invalid", errors={"file": ["A file needs a name."]})
    return _shortened(cleaned)


def _shortened(name: str) -> str:
    if len(name) <= NAME_MAX_LENGTH:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > 20:
        return name[:NAME_MAX_LENGTH]
    return stem[: NAME_MAX_LENGTH - len(extension) - 1] + dot + extension
