"""The settings of the product that browsers visit: with assistants of our own, and a team."""

from chatproject.settings import *  # noqa: F403
from chatproject.settings import assistants

ASSISTANTS = {
    **assistants.ASSISTANTS,
    "asker": "tests.browser.asker.Asker",
    "clerk": "tests.browser.asker.Clerk",
    "limping": "tests.browser.asker.Limping",
    "pair": {"kind": "team", "members": ["openai", "guide"], "max_turns": 2},
}
