"""How django-allauth behaves here."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.limiting import take_login
from accounts.models import User
from accounts.services import users


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.REGISTRATION_OPEN

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Our own limit instead of allauth's, which counts in each process alone. Raises RateLimited."""
        take_login(str(credentials.get("username") or credentials.get("email") or ""))
        super().pre_authenticate(request, **credentials)

    def set_password(self, user: User, password: str) -> None:
        users.set_password(user=user, password=password)

    def post_login(self, request: HttpRequest, user: User, **context: Any) -> HttpResponse:
        """After a log-in the pages speak the language that was chosen with the account."""
        response: HttpResponse = super().post_login(request, user, **context)
        if user.language:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                user.language,
                max_age=settings.LANGUAGE_COOKIE_AGE,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
                samesite="Lax",
            )
        return response
