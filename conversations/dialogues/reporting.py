"""What came of dialogues: lines for people, JUnit for machines."""

import re
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from xml.etree import ElementTree as ET

from conversations.dialogues.playing import Played

# What XML 1.0 has no place for, not even escaped.
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def lines(played: Played, minimum: float) -> list[str]:
    """A line for a dialogue, and one for each thing that was not as expected."""
    verdict = "ok  " if played.score >= minimum else "FAIL"
    took = sum(played.milliseconds)
    turns = len(played.trajectory.turns)
    head = f"{verdict} {played.score:.2f}  {played.trajectory.name} (turns: {turns}, {took:.0f} ms)"
    return [head, *(f"          {failure}" for failure in played.failures)]


def summary(all_played: Sequence[Played], seconds: float, minimum: float) -> str:
    """One line about all of them: scores, and how long answers took."""
    passed = sum(played.score >= minimum for played in all_played)
    score = fmean(played.score for played in all_played)
    taken = sorted(one for played in all_played for one in played.milliseconds)
    text = f"{passed} of {len(all_played)} dialogues, score {score:.3f}, in {seconds:.1f} s"
    if not taken:
        return text
    p50, p95, p99 = (taken[min(len(taken) - 1, int(len(taken) * share))] for share in (0.5, 0.95, 0.99))
    rate = len(taken) / seconds
    return f"{text}; {len(taken)} answers, {rate:.1f}/s: p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms"


def write_junit(path: Path, name: str, all_played: Sequence[Played], seconds: float, minimum: float) -> None:
    """A testsuite with a testcase for every dialogue."""
    failed = sum(played.score < minimum for played in all_played)
    suite = ET.Element(
        "testsuite", name=_legal(name), tests=str(len(all_played)), failures=str(failed), errors="0",
        time=f"{seconds:.3f}",
    )  # fmt: skip
    for played in all_played:
        suite.append(_case(played, name, minimum))
    ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def _case(played: Played, name: str, minimum: float) -> ET.Element:
    took = f"{sum(played.milliseconds) / 1000:.3f}"
    case = ET.Element("testcase", classname=_legal(name), name=_legal(played.trajectory.name), time=took)
    properties = ET.SubElement(case, "properties")
    ET.SubElement(properties, "property", name="score", value=f"{played.score:.3f}")
    unmet = _legal("\n".join(played.failures))
    if played.score < minimum:
        message = f"score {played.score:.2f} is below {minimum:g}"
        ET.SubElement(case, "failure", message=message, type="expectation").text = unmet
    elif unmet:
        ET.SubElement(case, "system-out").text = unmet
    return case


def _legal(text: str) -> str:
    return ILLEGAL.sub("\ufffd", text)
