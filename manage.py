#!/usr/bin/env python
"""Django's command line. A wrong setting is one sentence, not a traceback."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from chatproject.lib import collector


def main() -> None:
    collector.pause()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
