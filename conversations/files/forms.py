"""How a file is told to a model that reads text."""


def as_text(name: str, type_: str, text: str | None) -> str:
    """The file's name, and below it the text that was drawn from it."""
    if text is None:
        return f"[File: {name} ({type_}). What is in it cannot be shown as text.]"
    return f"[File: {name}]\n{text}\n[End of the file {name}]"
