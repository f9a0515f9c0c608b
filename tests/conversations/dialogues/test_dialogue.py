"""`manage.py dialogue`: what an integrator runs before a change of assistant goes live."""

import io
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.models import User
from accounts.services import apikeys
from conversations.assistants.base import Turn
from conversations.dialogues import script
from conversations.dialogues.outcomes import Outcome, unmet
from conversations.dialogues.script import BadScript
from conversations.models import Conversation, Run
from tests.conversations.assistants.conftest import provider
from tests.conversations.support import environment
from tests.docs.pages import code, section, text
from tests.faults.cluster import Cluster
from tests.provider import Provider
from tests.serving import BASE_DIR

__all__ = ["provider"]


@dataclass
class Done:
    code: int
    output: str


@pytest.fixture(autouse=True)
def _limits(settings: Settings) -> None:
    """The command takes the limits away in its process, which is this one here."""
    settings.LIMITS_APPLY = settings.LIMITS_APPLY


def dialogue(file: Path, *options: str, worker: bool = True) -> Done:
    output = io.StringIO()
    try:
        call_command("dialogue", str(file), *options, *(["--worker"] if worker else []), stdout=output)
    except CommandError as error:
        return Done(error.returncode, f"{output.getvalue()}{error}")
    return Done(0, output.getvalue())


def written(folder: Path, dialogues: Any, name: str = "tests.yaml") -> Path:
    file = folder / name
    file.write_text(yaml.safe_dump(dialogues))
    return file


def said(text: str, *expect: dict[str, Any]) -> dict[str, Any]:
    return {"say": text, "expect": list(expect)} if expect else {"say": text}


def test_a_dialogue_that_goes_as_it_should(provider: Provider, tmp_path: Path) -> None:
    turns = [
        said("say one", {"equals": "one"}, {"status": "completed"}, {"within_ms": 5000}),
        said("say two and three", {"contains": "two"}, {"lacks": "four"}, {"regex": "^two .* three"}),
        said("say four"),
    ]
    done = dialogue(written(tmp_path, [{"name": "counting", "assistant": "openai", "turns": turns}]))
    assert (done.code, done.output.splitlines()[0].split(" (")[0]) == (0, "ok   1.00  counting")
    assert "1 of 1 dialogues, score 1.000" in done.output
    assert "p50" in done.output
    assert [one["content"] for one in provider.last.body["messages"]][1::2] == [
        "say one",
        "say two and three",
        "say four",
    ]
    assert Conversation.objects.filter(owner__username="dialogue-tests", erased_at=None).count() == 0, "nothing is left"
    assert not User.objects.get(username="dialogue-tests").has_usable_password()


def test_a_score_by_weight_and_a_minimum(provider: Provider, tmp_path: Path) -> None:
    expect: list[dict[str, Any]] = [{"contains": "hello"}, {"contains": "goodbye", "weight": 3}]
    file = written(tmp_path, [{"name": "polite", "turns": [said("say hello", *expect)]}])
    done = dialogue(file, "--assistant", "openai")
    assert done.code == 1
    assert "FAIL 0.25  polite" in done.output
    assert "turn 1: 'goodbye' is not in 'hello '" in done.output
    assert dialogue(file, "--assistant", "openai", "--minimum", "0.25").code == 0


def test_junit_for_a_ci_server(provider: Provider, tmp_path: Path) -> None:
    dialogues = [
        {"name": "good", "turns": [said("say a", {"contains": "a"})]},
        {"name": "bad \x07", "turns": [said("say b", {"equals": "\x01"})]},
    ]
    report = tmp_path / "report.xml"
    file = tmp_path / "tests.json"
    file.write_text(json.dumps(dialogues))
    dialogue(file, "--assistant", "openai", "--junit", str(report))
    suite = ET.parse(report).getroot()
    assert {name: suite.attrib[name] for name in ("name", "tests", "failures")} == {
        "name": "tests.json", "tests": "2", "failures": "1",
    }  # fmt: skip
    cases = {case.attrib["name"]: case for case in suite}
    assert [case.find("failure") is not None for case in (cases["good"], cases["bad \ufffd"])] == [False, True]
    assert cases["good"].find("properties/property").attrib == {"name": "score", "value": "1.000"}  # type: ignore[union-attr]


def test_failures_are_expected_or_not(provider: Provider, tmp_path: Path) -> None:
    turns = [
        said("status 500", {"status": "failed"}, {"error": "provider_error"}),
        said("cut 2", {"status": "completed"}),
    ]
    done = dialogue(written(tmp_path, [{"name": "broken", "assistant": "openai", "turns": turns}]))
    assert "FAIL 0.67  broken" in done.output
    assert "turn 2: it is failed (provider_error), not completed" in done.output


def test_an_answer_that_does_not_come(provider: Provider, tmp_path: Path) -> None:
    file = written(tmp_path, [{"name": "hangs", "assistant": "openai", "turns": [said("hang")]}])
    done = dialogue(file, "--seconds", "1")
    assert done.code == 1
    assert "turn 1: there is no answer after 1 s" in done.output
    assert Run.objects.filter(status="running", assistant="openai", requested_by__isnull=False, error=None).count() == 0


def test_nobody_of_that_name_or_nobody_at_all(tmp_path: Path) -> None:
    for dialogue_, reason in (
        ({"name": "x", "assistant": "nobody", "turns": [said("Hi")]}, "invalid"),
        ({"name": "x", "turns": [said("Hi")]}, "Nobody answers in this dialogue"),
    ):
        done = dialogue(written(tmp_path, [dialogue_]))
        assert done.code == 1
        assert reason in done.output


class Asks:
    """Asks before it acts."""

    async def answer(self, turn: Turn) -> None:
        async with turn.step("tool", "look", {"at": "sky"}) as step:
            step.output = "blue"
        await turn.emit("Done." if await turn.ask("approval", {"title": "Go on?"}) else "Left.")
        turn.sources = [{"title": "The sky"}]


def test_a_question_is_answered(tmp_path: Path, settings: Settings) -> None:
    settings.ASSISTANTS = settings.ASSISTANTS | {"asks": f"{__name__}.Asks"}
    turns = [
        said("Do it", {"status": "waiting"}, {"tool": "look"}, {"step": "look"}, {"steps": 1}),
        {"answer": False, "expect": [{"equals": "Left."}, {"source": "The sky"}]},
        {"answer": True},
    ]
    done = dialogue(written(tmp_path, [{"name": "asked", "assistant": "asks", "turns": turns}]))
    assert done.output.count("turn ") == 1
    assert "turn 3: run_not_active: Nothing was asked." in done.output


def test_many_at_the_same_time_by_workers_that_run(tmp_path: Path, settings: Settings) -> None:
    settings.OPENAI_API_KEY = "test"
    with Cluster(tmp_path, webs=0, workers=1):
        file = written(tmp_path, [{"name": "load", "assistant": "openai", "turns": [said("slow 5 20")] * 2}])
        done = dialogue(file, "--repeat", "20", "--concurrency", "10", worker=False)
    assert (done.code, "40 answers" in done.output) == (0, True), done.output


def test_with_an_instance_that_runs_elsewhere(alice: User, tmp_path: Path) -> None:
    """Over HTTP alone: the command has a database and a Redis that do not answer."""
    secret = apikeys.create(user=alice, name="CI", scopes=["read", "write"])[1]
    turns = [
        said("say one", {"equals": "one"}, {"within_ms": 20000}),
        said("status 401", {"status": "failed"}, {"error": "provider_refused"}),
        said("say two", {"contains": "three"}),
        {"answer": True},
    ]
    guide = [said("How do I back up?", {"contains": "pg_dump"}, {"source": "docs/deployment.md"}, {"steps": 1})]
    dialogues = [
        {"name": "counting", "assistant": "openai", "turns": turns},
        {"name": "backup", "assistant": "guide", "turns": guide},
        {"name": "nobody", "assistant": "nobody", "turns": [said("Hi")]},
    ]
    file = written(tmp_path, dialogues)
    with Cluster(tmp_path, webs=1, workers=1) as running:
        done = elsewhere(file, running.webs[0].url, secret, "--concurrency", "2")
        wrong = elsewhere(file, running.webs[0].url, "ck_wrong")
    assert (done.code, "ok   1.00  backup" in done.output) == (1, True), done.output
    assert "turn 3: 'three' is not in 'two '" in done.output
    assert "turn 4: run_not_active: Nothing was asked." in done.output
    assert "turn 1: invalid: " in done.output
    assert "FAIL 0.67  counting" in done.output
    assert not Conversation.objects.filter(owner=alice, erased_at=None).exists(), "nothing is left"
    assert (wrong.code, "turn 1: unauthenticated" in wrong.output) == (1, True)


def elsewhere(file: Path, url: str, key: str, *options: str) -> Done:
    nowhere = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing", "REDIS_URL": "redis://127.0.0.1:9/0"}
    done = subprocess.run(
        [sys.executable, "manage.py", "dialogue", str(file), "--url", url, *options],
        cwd=BASE_DIR,
        env={**environment(), **nowhere, "DIALOGUE_API_KEY": key},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Done(done.returncode, done.stdout + done.stderr)


@pytest.mark.parametrize("options", [["--worker"], ["--user", "x"], []])
def test_what_does_not_go_with_an_address(tmp_path: Path, options: list[str]) -> None:
    """No key is set here."""
    file = written(tmp_path, [{"name": "x", "turns": [said("Hi")]}])
    assert dialogue(file, "--url", "http://127.0.0.1:9/", *options, worker=False).code == 2


def test_the_example_of_the_documentation(tmp_path: Path) -> None:
    """Word for word: the file, and what the command says of it."""
    page = section(text("dialogue-tests.md"), "A complete example")
    [example] = code(page, "yaml")
    file = tmp_path / "dialogues.yaml"
    file.write_text(example)
    done = dialogue(file)
    assert done.code == 0, done.output
    assert done.output.count("ok   1.00") == len(script.read(file)) == 2


@pytest.mark.parametrize(
    ("dialogues", "reason"),
    [
        ([], "there is no dialogue in it"),
        ({"name": "x"}, "Expected `array`"),
        ([{"name": "x", "turns": []}], "it has no turns"),
        ([{"name": "x", "turns": [{}]}], "either say or answer"),
        ([{"name": "x", "turns": [{"say": "a", "answer": 1}]}], "either say or answer"),
        ([{"name": "x", "turns": [{"say": "a", "expect": []}]}], "expect is empty"),
        ([{"name": "x", "turns": [{"say": "a", "wait": 1}]}], "unknown field `wait`"),
        ([{"name": "x", "turns": [said("a", {"containing": "x"})]}], "is not one of contains"),
        ([{"name": "x", "turns": [said("a", {"contains": "x", "lacks": "y"})]}], "is not one of contains"),
        ([{"name": "x", "turns": [said("a", {"contains": 5})]}], "contains is a str, not 5"),
        ([{"name": "x", "turns": [said("a", {"within_ms": True})]}], "within_ms is a int, not True"),
        ([{"name": "x", "turns": [said("a", {"status": "done"})]}], "status is one of completed"),
        ([{"name": "x", "turns": [said("a", {"regex": "("})]}], "is no regular expression"),
        ([{"name": "x", "turns": [said("a", {"contains": "x", "weight": 0})]}], "weight is a number above 0"),
    ],
)
def test_a_file_that_is_no_script(tmp_path: Path, dialogues: Any, reason: str) -> None:
    done = dialogue(written(tmp_path, dialogues))
    assert done.code == 2
    assert reason in done.output


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("- [")
    (tmp_path / "broken.jsonl").write_text('{"name": "x"')
    for name in ("nothing.yaml", "broken.yaml", "broken.jsonl"):
        with pytest.raises(BadScript):
            script.read(tmp_path / name)


def test_json_lines(tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    file.write_text(
        "\n\n".join(json.dumps({"name": f"n{n}", "turns": [{"say": "Hi\u2028"}]}, ensure_ascii=False) for n in range(3))
    )
    assert [one.name for one in script.read(file)] == ["n0", "n1", "n2"]


def test_a_pattern_that_explodes_is_given_up() -> None:
    reason = unmet({"regex": "^(a|a|b)*(a|b|ab)*$x"}, Outcome(text="ab" * 5000 + "c"))
    assert "does not match" in reason or "takes too long" in reason
    assert "takes too long" in unmet({"regex": r"(x+x+)+y"}, Outcome(text="x" * 5000))
