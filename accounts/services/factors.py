"""Verbs on second factors: codes at a log-in over the API, and the secrets that codes are made from."""

from allauth.mfa.models import Authenticator
from django.db import transaction

from accounts import audit
from accounts.models import User
from chatproject.lib import keyring
from chatproject.lib.errors import Problem

PURPOSE = "second factors"
# Where the secret of each kind lies in its data; public keys are none.
SECRETS = {Authenticator.Type.TOTP: "secret", Authenticator.Type.RECOVERY_CODES: "seed"}


def check(user: User, otp: str) -> None:
    """Let a user with a second factor pass by a code of theirs, which is used up; others pass without.

    Raises Problem `unauthenticated`, with `errors.otp`.
    """
    known = list(Authenticator.objects.filter(user=user))
    if not any(one.type != Authenticator.Type.RECOVERY_CODES for one in known):
        return
    if not otp:
        raise _refused("This user has a second factor: send a code of it, or a recovery code, as otp.")
    if not any(one.wrap().validate_code(otp) for one in known if one.type in SECRETS):
        raise _refused("This code is wrong, or was used already.")


@transaction.atomic
def take_away(*, staff: User, user: User) -> None:
    """Remove all second factors of a user who lost theirs: the password alone logs in again."""
    if Authenticator.objects.filter(user=user).delete()[0]:
        audit.record(actor=staff.id, action="user.factors_removed", target=("user", user.id))


def seal(text: str) -> str:
    return keyring.seal(text.encode(), PURPOSE)


def unseal(sealed: str) -> str:
    return keyring.unseal(sealed, PURPOSE).decode()


def reseal() -> None:
    """Seal all secrets by the first of ENCRYPTION_KEYS, each in a transaction of its own: killed, do it again.

    Raises CryptoError where the key that seals one is missing.
    """
    for id_ in list(Authenticator.objects.filter(type__in=SECRETS).values_list("id", flat=True)):
        _reseal(id_)


@transaction.atomic
def _reseal(id_: int) -> None:
    row = Authenticator.objects.select_for_update().filter(id=id_).first()
    name = SECRETS[row.type] if row else ""
    if row and keyring.sealed_by(row.data[name]) != keyring.keyring().primary_id:
        row.data[name] = seal(unseal(row.data[name]))
        row.save(update_fields=["data"])


def _refused(sentence: str) -> Problem:
    return Problem("unauthenticated", sentence, errors={"otp": [sentence]})
