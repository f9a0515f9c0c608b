"""Django's sessions in the database (SESSION_ENGINE). Every page begins with one: it is read by a prepared query."""

from datetime import datetime

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from chatproject.lib.prepared import Prepared


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        found = _living.first(key=str(self.session_key), now=timezone.now())
        if found is None:
            self._session_key = None
        return found


@Prepared
def _living(key: str, now: datetime) -> QuerySet[Session, Session]:
    return Session.objects.filter(session_key=key, expire_date__gt=now)
