"""Fields of the JSON API that take what they say, and nothing that merely looks like it."""

from typing import Any

from rest_framework import serializers


class Text(serializers.CharField):
    """A JSON string; DRF's own also takes numbers."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """true or false; DRF's own also takes "yes", 1 and the like."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data
