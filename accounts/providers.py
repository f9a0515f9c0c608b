"""Logging in through Google or an OpenID provider, beyond what django-allauth checks: state, PKCE, issuer, audience."""

from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.models import User

NAME_MAX_LENGTH = 150


class ProviderAdapter(DefaultSocialAccountAdapter):
    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        """Those of the settings only: a secret of ours does not lie in the database."""
        apps: list[SocialApp] = super().list_apps(request, provider, client_id)
        return [app for app in apps if app.pk is None]

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Raises PermissionDenied where the two answers of an OpenID provider are not about the same person
        (OpenID Connect Core 1.0, section 5.3.2)."""
        told = sociallogin.account.extra_data
        subjects = {part["sub"] for name in ("id_token", "userinfo") if (part := told.get(name)) and "sub" in part}
        if len(subjects) > 1:
            raise PermissionDenied("The provider's answers contradict each other.")

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        """What the provider tells of somebody new: user name, e-mail address, and how to call them."""
        user: User = super().populate_user(request, sociallogin, data)
        parts = (data.get("first_name"), data.get("last_name"))
        user.name = (data.get("name") or " ".join(filter(None, parts)))[:NAME_MAX_LENGTH]
        return user
