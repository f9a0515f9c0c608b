"""All settings, one sentence each, a file per topic; docs/settings.md lists those of ours (a test compares).

Values come from the environment. Where DATABASE_URL, REDIS_URL, SECRET_KEY or ENCRYPTION_KEYS are unset,
those that `manage.py serve` made in DATA_DIR are used.
"""

from chatproject.settings.api import *
from chatproject.settings.assistants import *
from chatproject.settings.conversations import *
from chatproject.settings.database import *
from chatproject.settings.framework import *
from chatproject.settings.limits import *
from chatproject.settings.login import *
from chatproject.settings.people import *
from chatproject.settings.places import *
from chatproject.settings.security import *
from chatproject.settings.sockets import *
