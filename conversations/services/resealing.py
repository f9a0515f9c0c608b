"""Secrets of connectors, and tokens of users for them, by the first of ENCRYPTION_KEYS (`manage.py rotate_keys`)."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from chatproject.lib import keyring
from conversations.connectors import sealing
from conversations.models import Authorisation, Connector
from conversations.services import authorisations


def reseal() -> None:
    """Seal all of them anew, each in a transaction of its own: killed, do it again. Raises CryptoError where the key
    that seals one is missing."""
    for connector in _by_another_key(Connector.objects.exclude(secrets="").values_list("id", "secrets")):
        with transaction.atomic():
            row = Connector.objects.select_for_update().filter(id=connector).first()
            if row:
                row.secrets = sealing.seal(sealing.unseal(row.secrets, row.id), row.id)
                row.save(update_fields=["secrets"])
    for id_ in _by_another_key(Authorisation.objects.values_list("id", "tokens")):
        with transaction.atomic():
            allowed = Authorisation.objects.select_for_update().filter(id=id_).first()
            if allowed:
                authorisations.reseal(allowed)


def _by_another_key(rows: Iterable[tuple[UUID, str]]) -> list[UUID]:
    return [id_ for id_, sealed in rows if keyring.sealed_by(sealed) != keyring.keyring().primary_id]
