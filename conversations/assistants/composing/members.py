"""What is known of a team by its name."""

from conversations.assistants import kinds, registry
from conversations.assistants.composing.speaking import TeamConfig

KIND = "team"
# What a member is told beside its own system prompt.
TOLD = (
    "You are {name}, in a team with {others}. What they say comes with their name in front. To hand over to one of"
    " them, end with a line that is only @ and the name; to go on yourself in another message, with the line"
    " [continue]; when the task is done, with the line [done]."
)


def config_of(name: str) -> TeamConfig | None:
    """The team of this name; None where there is none (any more)."""
    found = registry.shown(name)
    if found is None or found.kind != KIND or found.config is None:
        return None
    made: TeamConfig = kinds.converted(KIND, found.config)
    return made


def told(team: str, name: str) -> str:
    """What a member is told of its team; nothing where the team, or the member, is not there any more."""
    config = config_of(team)
    if config is None or name not in config.members:
        return ""
    return TOLD.format(name=name, others=", ".join(other for other in config.members if other != name))
