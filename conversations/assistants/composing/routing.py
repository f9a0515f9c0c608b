"""Which assistant answers a text, and why: rules with a priority. Pure; what a model is to say about it is asked for
by whoever calls (builtin/router.py)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from msgspec import Struct

from conversations.assistants.composing.languages import language_of

Json = dict[str, Any]
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """All conditions that it has must hold; of rules with the same priority, the first in the list comes first.

    `keywords` are words or phrases, of which one is enough; `metadata` names values of the conversation (of a list, one
    is enough); `template` is a slug, `language` an ISO 639-1 code. `to` is who answers; or else the assistant `ask`
    says which one of `among` does.
    """

    to: str = ""
    name: str = ""
    priority: int = 0
    keywords: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}
    template: str = ""
    language: str = ""
    ask: str = ""
    among: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """What is to be answered. `opinions` are answers of assistants that were asked, by the place of their rule."""

    text: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    template: str = ""
    opinions: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def language(self) -> str:
        return language_of(self.text)


@dataclass(frozen=True)
class Outcome:
    """What came of a rule, the one at `place` in the list."""

    place: int
    matched: bool
    why: str


@dataclass(frozen=True)
class Choice:
    """`name` answers, because of `why`; empty where the rule `asks` first wants the opinion of a model. `outcomes` are
    those of the rules that were looked at."""

    name: str
    why: str
    outcomes: tuple[Outcome, ...] = ()
    asks: int | None = None


def choose(rules: Sequence[Rule], question: Question, default: str) -> Choice:
    """Who answers. The same rules and question give the same choice."""
    outcomes: list[Outcome] = []
    for place in sorted(range(len(rules)), key=lambda place: (-rules[place].priority, place)):
        rule = rules[place]
        missing = unmet(rule, question)
        if missing:
            outcomes.append(Outcome(place, False, missing))
        elif rule.to:
            outcomes.append(Outcome(place, True, met(rule)))
            return Choice(rule.to, f"{title(rule, place)}: {met(rule)}", tuple(outcomes))
        elif place not in question.opinions:
            outcomes.append(Outcome(place, True, f"{rule.ask} is asked"))
            return Choice("", f"{title(rule, place)}: {rule.ask} is asked", tuple(outcomes), asks=place)
        elif name := opinion(question.opinions[place], rule.among):
            outcomes.append(Outcome(place, True, f"{rule.ask} chose {name}"))
            return Choice(name, f"{title(rule, place)}: {rule.ask} chose {name}", tuple(outcomes))
        else:
            outcomes.append(Outcome(place, False, f"{rule.ask} named none of {', '.join(rule.among)}"))
    return Choice(default, "no rule matches", tuple(outcomes))


def title(rule: Rule, place: int) -> str:
    return rule.name or f"rule {place + 1}"


def unmet(rule: Rule, question: Question) -> str:
    """The first condition that does not hold, in words; empty where all do."""
    if rule.keywords and not any(said(word, question.text) for word in rule.keywords):
        return "none of its words is said"
    for name, wanted in rule.metadata.items():
        if not _holds(question.metadata, name, wanted):
            return f"metadata {name} is not {wanted!r}"
    if rule.template and rule.template != question.template:
        return f"the conversation did not begin from {rule.template}"
    if rule.language and rule.language != question.language:
        return f"the language is {question.language or 'unknown'}, not {rule.language}"
    return ""


def met(rule: Rule) -> str:
    """The conditions of a rule, in words."""
    parts = [
        f"one of {', '.join(rule.keywords)}" if rule.keywords else "",
        ", ".join(f"metadata {name} = {wanted!r}" for name, wanted in rule.metadata.items()),
        f"template {rule.template}" if rule.template else "",
        f"language {rule.language}" if rule.language else "",
    ]
    return "; ".join(filter(None, parts)) or "always"


def said(phrase: str, text: str) -> bool:
    """Whether a word or phrase stands in a text: whole words, but in scripts without spaces."""
    wanted = r"\s+".join(map(re.escape, phrase.casefold().split()))
    pattern = wanted if CJK.search(phrase) else rf"(?<!\w){wanted}(?!\w)"
    return bool(wanted) and re.search(pattern, text.casefold()) is not None


def _holds(metadata: Mapping[str, Any], name: str, wanted: Any) -> bool:
    value = metadata.get(name)
    return name in metadata and (value in wanted if isinstance(wanted, list) else value == wanted)


def opinion(answer: str, among: Sequence[str]) -> str:
    """The one name that an answer has of several; empty where it has none, or more than one."""
    found = [name for name in among if said(name, answer)]
    longest = [name for name in found if not any(name != other and name in other for other in found)]
    return longest[0] if len(longest) == 1 else ""
