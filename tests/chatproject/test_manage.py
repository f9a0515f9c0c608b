"""A wrong setting stops every command with one sentence that names it."""

from pathlib import Path

import pytest

from tests.serving import manage


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("ACK_WINDOW", "many"),
        ("DATABASE_URL", "mysql://localhost/chat"),
        ("REGISTRATION_OPEN", "perhaps"),
        ("DEFAULT_ASSISTANT", "nobody"),
        ("OPENAI_BASE_URL", "localhost:1"),
    ],
)
def test_a_wrong_setting_is_one_sentence(data_dir: Path, setting: str, value: str) -> None:
    done = manage(data_dir, "serve", **{setting: value})
    assert done.returncode == 1
    assert setting in done.stderr
    assert "Traceback" not in done.stderr
