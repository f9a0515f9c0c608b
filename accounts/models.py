"""Who: users, one-use tickets, and the trace of what was done."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from chatproject.lib.ids import new_id


class User(AbstractUser):
    """A person, or a program acting as one. Shown to others by id and name only."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField(_("email address"), blank=True, db_index=True)
    name = models.CharField(_("name"), max_length=150, blank=True, help_text=_("Shown to other members."))
    preferences = models.JSONField(_("preferences"), default=dict, blank=True)
    language = models.CharField(_("language"), max_length=16, blank=True)
    version = models.PositiveIntegerField(
        _("version"), default=1, editable=False, help_text=_("Grows with every change.")
    )
    auth_version = models.PositiveIntegerField(
        _("version of logins"),
        default=1,
        editable=False,
        help_text=_("Grows when all tokens and sockets of the user must end."),
    )
    last_active = models.DateTimeField(_("last active"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [models.UniqueConstraint(Lower("username"), name="username_once")]

    @property
    def display_name(self) -> str:
        return self.name or self.username

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name


class Ticket(models.Model):
    """One use, half a minute: lets a page of another origin open a socket. Only its hash is stored."""

    digest = models.BinaryField(primary_key=True, max_length=32)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    expires_at = models.DateTimeField(db_index=True)


class AuditEntry(models.Model):
    """Who did what to what; written in the transaction of the act itself, never changed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(_("at"), db_index=True)
    actor: "models.ForeignKey[User | None, User | None]" = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("actor")
    )
    action = models.CharField(_("action"), max_length=64, db_index=True)
    target_type = models.CharField(_("kind of target"), max_length=32)
    target_id = models.CharField(_("target"), max_length=64, db_index=True)
    detail = models.JSONField(_("detail"), default=dict)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.action} {self.target_type} {self.target_id}"


class IdempotencyKey(models.Model):
    """What a request made that may come again; requests that write to a log are mostly found there instead."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    route = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32)
    result = models.UUIDField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "route", "key"], name="idempotency_key_once")]
