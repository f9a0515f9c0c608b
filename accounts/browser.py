"""Logins of browsers: which one a session cookie stands for. Whatever way of logging in and out somebody takes
(pages, the admin, a provider), Django says so by its signals."""

from typing import Any

from allauth.account.signals import password_changed, password_set
from asgiref.sync import sync_to_async
from django.contrib import auth
from django.contrib.auth import user_logged_in, user_logged_out
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from accounts.identities import Identity
from accounts.models import Login, User
from accounts.origins import origin_of
from accounts.services import logins
from chatproject.lib.errors import Problem
from chatproject.lib.ids import parse_id

# Where the session keeps the id of its login.
KEY = "login"


def listen() -> None:
    """From now on browsers that log in get a login, which ends when they log out."""
    user_logged_in.connect(_logged_in, dispatch_uid="browser login")
    user_logged_out.connect(_logged_out, dispatch_uid="browser logout")
    # Who changes their password is logged out everywhere but here.
    password_changed.connect(_logged_in, dispatch_uid="browser password changed")
    password_set.connect(_logged_in, dispatch_uid="browser password set")


def begin(request: HttpRequest, user: User) -> None:
    """Begin a login for the browser that a request comes from."""
    login = logins.begin(user=user, kind=Login.Kind.BROWSER, origin=origin_of(request))
    request.session[KEY] = str(login.id)


def identity_of(request: HttpRequest) -> Identity | None:
    """Who the session of a request stands for, if its login lives."""
    try:
        found = logins.identity(request.session.get(KEY))
    except Problem:
        return None
    return found if _is_of(found.user, request) else None


def _is_of(user: User, request: HttpRequest) -> bool:
    """Whether the session is this user's, as Django sees it; which asks the database where its first look is in vain
    (after a change of SECRET_KEY)."""
    shown, known = request.session.get(auth.HASH_SESSION_KEY, ""), user.get_session_auth_hash()
    usual = request.session.get(auth.SESSION_KEY) == str(user.pk) and constant_time_compare(shown, known)
    return usual or auth.get_user(request) == user


class BrowserLogins(AuthenticationMiddleware):
    """`request.user` is nobody where the login has ended, whatever the cookie says; `request.identity` says more."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        identity = SimpleLazyObject(lambda: identity_of(request))
        request.identity = identity  # type: ignore[attr-defined]
        user: Any = SimpleLazyObject(lambda: identity.user if identity else AnonymousUser())
        request.user = user
        request.auser = sync_to_async(lambda: request.user)


def _logged_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    _end(request)  # somebody who logs in again
    begin(request, user)


def _logged_out(request: HttpRequest, **kwargs: Any) -> None:
    _end(request)


def _end(request: HttpRequest) -> None:
    login = parse_id(request.session.get(KEY, ""))
    if login:
        logins.end(login=login, reason=Login.Reason.LOGOUT)
