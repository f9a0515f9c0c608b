"""The product's settings for servers in trouble, of which the environment says which (`troubled` in cluster.py)."""

import os
import time
from datetime import timedelta

import time_machine

from chatproject.settings import *  # noqa: F403  Django's way

if skew := os.environ.get("CLOCK_SKEW"):
    # Every wall clock of this process, also in C, is wrong by so many seconds; monotonic ones are right.
    time_machine.travel(timedelta(seconds=int(skew)), tick=True).start()
    time.time()  # it ticks from the first look on
if os.environ.get("LOSE_HINTS"):
    CHANNEL_LAYERS["default"]["BACKEND"] = "tests.faults.layer.UnreliableLayer"  # noqa: F405
