"""Shapes of the account routes, for validation and for the OpenAPI document."""

from rest_framework import serializers

from chatproject.lib.fields import Text


class UserShape(serializers.Serializer):
    id = serializers.UUIDField()
    username = serializers.CharField()
    name = serializers.CharField()
    email = serializers.CharField()
    preferences = serializers.DictField()
    language = serializers.CharField()
    version = serializers.IntegerField()
    last_active = serializers.DateTimeField(allow_null=True)


class RegisterInput(serializers.Serializer):
    username = Text(max_length=150)
    password = Text(max_length=1024, trim_whitespace=False)
    email = serializers.EmailField(required=False, allow_blank=True, default="")


class TokenPair(serializers.Serializer):
    access = serializers.CharField()
    refresh = serializers.CharField()


class Registered(TokenPair):
    user = UserShape()


class TokenInput(serializers.Serializer):
    username = Text(max_length=254)
    password = Text(max_length=1024, trim_whitespace=False)
    otp = Text(
        max_length=32,
        required=False,
        allow_blank=True,
        help_text="A code of the user's second factor, or a recovery code; for who has one.",
    )


class RefreshInput(serializers.Serializer):
    refresh = Text(max_length=4096)


class TicketShape(serializers.Serializer):
    ticket = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")


class ProfileInput(serializers.Serializer):
    name = Text(max_length=150, required=False, allow_blank=True)
    email = serializers.EmailField(required=False, allow_blank=True)
    language = Text(max_length=16, required=False, allow_blank=True)
    preferences = serializers.DictField(required=False)
    version = serializers.IntegerField(required=False, min_value=1)
