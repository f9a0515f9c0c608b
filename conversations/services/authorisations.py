"""Verbs on what users allow connectors to do in their name (OAuth 2 authorization code with PKCE)."""

from contextlib import suppress
from uuid import UUID

import msgspec
from django.db import transaction

from accounts import audit
from accounts.models import User
from chatproject.lib import keyring
from chatproject.lib.errors import Problem
from conversations.assistants.base import AssistantError
from conversations.connectors import directory, oauth
from conversations.connectors.oauth import Tokens
from conversations.connectors.setup import Setup
from conversations.models import Authorisation

NEEDED = "Allow this first, on the page of your connections."


def allow(*, user: User, setup: Setup, code: str, redirect_uri: str, verifier: str) -> None:
    """Exchange the code that a user came back with, and keep the tokens.

    Raises Problem `invalid` where the provider refuses, `unavailable` where it cannot be asked.
    """
    try:
        tokens = oauth.by_code(setup, code=code, redirect_uri=redirect_uri, verifier=verifier)
    except oauth.Refused as error:
        raise Problem("invalid", errors={"code": [error.message]}) from error
    except AssistantError as error:
        raise Problem("unavailable", error.message) from error
    with transaction.atomic():
        row = Authorisation.objects.filter(connector=setup.id, user=user).first()
        row = row or Authorisation(connector_id=setup.id, user=user)
        keep(row, tokens)
        audit.record(actor=user.id, action="connector.authorised", target=("connector", setup.id))


def withdraw(*, user: User, authorisation: UUID) -> None:
    """Have the provider forget the tokens, and forget them. They are gone here also where it cannot be told.

    Raises Problem `not_found`; `unavailable` where the provider did not take it: then it is to be done there.
    """
    with transaction.atomic():
        row = _mine(user, authorisation)
        setup, tokens = directory.setup(row.connector), _tokens(row)
        row.delete()
        audit.record(actor=user.id, action="connector.withdrawn", target=("connector", row.connector_id))
    try:
        oauth.revoke(setup, tokens)
    except AssistantError as error:
        raise Problem("unavailable", f"{error.message} It is forgotten here; withdraw it there, too.") from error


def withdraw_all(*, user: User) -> None:
    """All of a user's, for good; where a provider cannot be told, they are forgotten here all the same."""
    for id_ in list(Authorisation.objects.filter(user=user).values_list("id", flat=True)):
        with suppress(Problem):
            withdraw(user=user, authorisation=id_)


def reseal(row: Authorisation) -> None:
    """Seal the tokens of a locked row by the first of ENCRYPTION_KEYS. Raises CryptoError."""
    keep(row, _tokens(row))


def access_token(setup: Setup, user: UUID | None) -> str:
    """The user's token for a connector, renewed where it is over.

    Raises AssistantError `connector_not_authorised`, and what a provider fails with.
    """
    if user is None:
        raise AssistantError("connector_not_authorised", NEEDED)
    with transaction.atomic():
        rows = Authorisation.objects.select_for_update().filter(connector=setup.id, user=user)
        row = rows.first()
        if row is None:
            raise AssistantError("connector_not_authorised", NEEDED)
        tokens = _tokens(row)
        if not tokens.over:
            return tokens.access
        if not tokens.refresh:
            raise AssistantError("connector_not_authorised", NEEDED)
        return _renewed(row, setup, tokens)


def _renewed(row: Authorisation, setup: Setup, tokens: Tokens) -> str:
    """Under the row's lock: a refresh token may be good for one use."""
    try:
        renewed = oauth.by_refresh(setup, tokens.refresh)
    except oauth.Refused as error:
        raise AssistantError("connector_not_authorised", NEEDED) from error
    keep(row, renewed)
    return renewed.access


def keep(row: Authorisation, tokens: Tokens) -> None:
    """Store tokens, sealed."""
    row.tokens = keyring.seal(msgspec.json.encode(tokens), _purpose(row))
    row.expires_at = tokens.expires_at
    row.save()


def _tokens(row: Authorisation) -> Tokens:
    return msgspec.json.decode(keyring.unseal(row.tokens, _purpose(row)), type=Tokens)


def _purpose(row: Authorisation) -> str:
    return f"connectors.authorisation {row.id.hex}"


def _mine(user: User, authorisation: UUID) -> Authorisation:
    rows = Authorisation.objects.select_for_update(of=("self",)).select_related("connector")
    row = rows.filter(id=authorisation, user=user).first()
    if row is None:
        raise Problem("not_found")
    return row
