"""How django-allauth behaves here."""

import logging
import time
from smtplib import SMTPException
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import EmailAddress
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.failures import note_failure
from accounts.limiting import take_login
from accounts.models import User
from accounts.services import users

log = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.REGISTRATION_OPEN

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Our own limit instead of allauth's, which counts in each process alone. Raises RateLimited."""
        take_login(_name(credentials))

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        note_failure(_name(credentials))

    def set_password(self, user: User, password: str) -> None:
        """A password that was changed or reset ends all logins but the browser's own, which allauth keeps."""
        users.set_password(user=user, password=password)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        confirmed: bool = super().confirm_email(request, email_address)
        if confirmed:
            users.note_change(user=email_address.user, what="email_confirmed")
        return confirmed

    def send_notification_mail(self, template_prefix: str, user: User, *args: Any, **kwargs: Any) -> None:
        """allauth tells people of every change of what protects their account: each leaves a trace too."""
        what = template_prefix.rsplit("/", 1)[-1]
        if not what.startswith("password"):  # set_password left one
            users.note_change(user=user, what=what)
        super().send_notification_mail(template_prefix, user, *args, **kwargs)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whoever logged in a moment ago has shown who they are."""
        required: bool = super().is_reauthentication_required(app=app, **kwargs)
        records = get_authentication_records(self.request, self.request.user)
        age = min((time.time() - record["at"] for record in records), default=app_settings.REAUTHENTICATION_TIMEOUT)
        return required and age >= app_settings.REAUTHENTICATION_TIMEOUT

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Where no mail can be sent, nobody is stopped by it; most of it can be asked for again."""
        try:
            super().send_mail(template_prefix, email, context)
        except (SMTPException, OSError) as error:
            log.error("mail could not be sent (%s): look at EMAIL_HOST and its log", type(error).__name__)

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


def _name(credentials: dict[str, Any]) -> str:
    return str(credentials.get("username") or credentials.get("email") or "")
