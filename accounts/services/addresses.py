"""E-mail addresses: claimed by their users, confirmed by a link in a mail (django-allauth sends and takes it)."""

from allauth.account.models import EmailAddress
from allauth.core import ratelimit
from django.conf import settings
from django.http import HttpRequest

from accounts.models import User
from chatproject.lib.errors import Problem


def ask_to_confirm(request: HttpRequest, user: User) -> None:
    """Send the link to the address of `user`, unless they have none or confirmed it.

    Not too often, by the rates of the pages: who waits for another link asks for it there.
    """
    if not user.email or EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists():
        return
    often = not ratelimit.consume(request, action="confirm_email", key=user.email, dry_run=True)
    often = often or not ratelimit.consume(request, action="manage_email", user=user)
    EmailAddress.objects.add_email(request, user, user.email, confirm=not often)


def claim(user: User, email: str) -> None:
    """An address that was only claimed is given up for another; a confirmed one is changed on the pages only, which
    ask for the password first: with an access token alone nobody is to take over an account.

    Call within the transaction of the change. Raises Problem `forbidden`.
    """
    others = EmailAddress.objects.filter(user=user).exclude(email=email)
    if others.filter(verified=True).exists():
        raise Problem("forbidden", "A confirmed e-mail address is changed on the page /accounts/email/.")
    others.delete()


def replace(user: User) -> None:
    """Staff gave `user` another address: those of before open nothing any more, confirmed or not."""
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()


def may_be_unconfirmed() -> bool:
    return bool(settings.ACCOUNT_EMAIL_VERIFICATION != "mandatory")


def require_confirmed(user: User) -> None:
    """Raises Problem `unauthenticated` where addresses have to be confirmed, and this user has not done so."""
    if not may_be_unconfirmed() and not EmailAddress.objects.filter(user=user, verified=True).exists():
        raise Problem("unauthenticated", "Confirm your e-mail address first: log in on the page for another link.")
