"""The kind `router`: has another assistant answer, the one that rules choose."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from msgspec import Struct

from conversations.assistants import calling
from conversations.assistants.base import About, Turn
from conversations.assistants.composing import asking, routing
from conversations.assistants.composing.asides import Nowhere, Through
from conversations.assistants.composing.languages import CODES
from conversations.assistants.composing.routing import Choice, Question, Rule
from conversations.assistants.composing.taking import taken
from conversations.usage.tokens import added


class RouterConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`default` answers where no rule matches; `seconds` is how long an assistant may think that is asked to choose."""

    default: str
    rules: tuple[Rule, ...] = ()
    seconds: float = 10


class Router:
    """Has the assistant answer that its rules choose."""

    Config: ClassVar[type[Struct]] = RouterConfig

    def __init__(self, config: RouterConfig) -> None:
        self.config = config

    @staticmethod
    def asks(config: RouterConfig) -> Collection[str]:
        """Whom it may ask."""
        named = [name for rule in config.rules for name in (rule.to, rule.ask, *rule.among) if name]
        return {config.default, *named}

    @staticmethod
    def wrong(config: RouterConfig) -> list[str]:
        """What is wrong with the rules, in sentences."""
        found = []
        for place, rule in enumerate(config.rules):
            if bool(rule.to) == bool(rule.ask and rule.among):
                found.append(f"{routing.title(rule, place)} needs either `to`, or `ask` and `among`.")
            if rule.language and rule.language not in CODES:
                found.append(f"{routing.title(rule, place)}: a language is one of {', '.join(sorted(CODES))}.")
        return found

    async def answer(self, turn: Turn) -> None:
        """Show the choice as a step, then hand the turn on."""
        async with turn.step("thought", "route") as step:
            if not step.done:
                about = await turn.about()
                question = Question(about.text, about.metadata, about.template)
                choice, usage = await self.chosen(question, turn, step.id)
                step.output = {"to": choice.name, "why": choice.why}
                turn.usage = usage
            chosen = step.output["to"]
        through = Through(turn, chosen)
        before, turn.usage = turn.usage, None
        try:
            await calling.answer(chosen, through)
        finally:
            turn.usage = added(before, taken(through))

    async def chosen(
        self, question: Question, turn: Turn | None = None, step: str | None = None
    ) -> tuple[Choice, dict[str, Any] | None]:
        """Who answers, the assistants being asked that rules want to have asked; and what that has used."""
        around: Any = turn or Nowhere(_about(question))
        usage: dict[str, Any] | None = None
        while True:
            choice = self.dry(question)
            if choice.asks is None:
                return choice, usage
            rule = self.config.rules[choice.asks]
            given = await asking.opinion_of(
                around, rule.ask, question.text, rule.among, seconds=self.config.seconds, step=step
            )
            usage = added(usage, taken(given))
            question = replace(question, opinions={**question.opinions, choice.asks: given.text})

    def dry(self, question: Question) -> Choice:
        """Who would answer, as far as that can be said without asking anybody."""
        return routing.choose(self.config.rules, question, self.config.default)


def _about(question: Question) -> About:
    return About(question.text, dict(question.metadata), question.template)


def shown(config: RouterConfig, choice: Choice) -> list[Mapping[str, Any]]:
    """Every rule with what came of it, as a dry run shows it; those behind the one that matched were not looked at."""
    outcomes = {one.place: one for one in choice.outcomes}
    order = sorted(range(len(config.rules)), key=lambda place: (-config.rules[place].priority, place))
    return [_row(config.rules[place], place, outcomes.get(place)) for place in order]


def _row(rule: Rule, place: int, outcome: routing.Outcome | None) -> dict[str, Any]:
    return {
        "rule": routing.title(rule, place),
        "priority": rule.priority,
        "when": routing.met(rule),
        "to": rule.to or f"{rule.ask}: {', '.join(rule.among)}",
        "matched": outcome.matched if outcome else None,
        "why": outcome.why if outcome else "",
    }
