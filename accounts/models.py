"""Who: users, their logins and keys, one-use tickets, and the trace of what was done."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Lower, Now
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


class Logins(models.Manager["Login"]):
    def living(self) -> "QuerySet[Login]":
        """Those that count: not ended, not over, and begun since all of the user's were ended the last time."""
        current = Q(user__is_active=True, auth_version=F("user__auth_version"))
        return self.filter(current, ended_at=None, expires_at__gt=Now())


class Login(models.Model):
    """Somebody who logged in somewhere, until they log out: everything that was opened by it ends with it."""

    class Kind(models.TextChoices):
        TOKEN = "token", _("token")
        BROWSER = "browser", _("browser")
        OUTSIDE = "outside", _("outside provider")

    class Reason(models.TextChoices):
        LOGOUT = "logout", _("log-out")
        REUSED = "reused", _("a refresh token was used twice")
        PASSWORD = "password", _("new password")
        STAFF = "staff", _("ended by staff")
        CLOSED = "closed", _("account closed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", verbose_name=_("user"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    auth_version = models.PositiveIntegerField(_("version of logins"))
    # The `jti` of the refresh token that has not been used yet.
    refresh_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(_("begun"), db_default=Now())
    last_used = models.DateTimeField(_("last used"), db_default=Now())
    expires_at = models.DateTimeField(_("expires"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    reason = models.CharField(_("reason"), max_length=16, choices=Reason, blank=True)
    user_agent = models.CharField(_("program"), max_length=200, blank=True)
    address = models.CharField(_("address"), max_length=45, blank=True, help_text=_("Without its last part."))

    objects = Logins()

    class Meta:
        verbose_name = _("login")
        verbose_name_plural = _("logins")
        indexes = [models.Index(fields=["user", "-created_at"], name="login_of_user")]

    def __str__(self) -> str:
        return str(self.id)


class OutsideAccount(models.Model):
    """Who somebody is at a provider whose tokens are taken; `login` is the one that these belong to now."""

    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    login: "models.ForeignKey[Login | None, Login | None]" = models.ForeignKey(
        Login, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="outside_account_once")]


class ApiKeys(models.Manager["ApiKey"]):
    def living(self) -> "QuerySet[ApiKey]":
        """Those that count."""
        return self.filter(user__is_active=True, revoked_at=None)


class ApiKey(models.Model):
    """A secret with which a program acts as its owner, within its scopes, until it is revoked. Only its hash is
    stored, and its beginning, to know it by."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", verbose_name=_("user"))
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("beginning"), max_length=16)
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = models.JSONField(_("scopes"))
    created_at = models.DateTimeField(_("made"), db_default=Now())
    last_used = models.DateTimeField(_("last used"), null=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True)

    objects = ApiKeys()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        indexes = [models.Index(fields=["user", "-created_at"], name="key_of_user")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Ticket(models.Model):
    """One use, half a minute: lets a page of another origin open a socket. Only its hash is stored.

    `login` is the login or API key that asked for it, and that its socket ends with.
    """

    digest = models.BinaryField(primary_key=True, max_length=32)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    login = models.UUIDField()
    expires_at = models.DateTimeField(db_index=True)


class AuditEntry(models.Model):
    """Who did what to what, and from where; written in the transaction of the act itself. The database refuses to
    change or delete one (migration 0005), so an actor who is gone keeps their id here."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(_("at"), db_index=True)
    actor: "models.ForeignKey[User | None, User | None]" = models.ForeignKey(
        User,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        verbose_name=_("actor"),
    )
    action = models.CharField(_("action"), max_length=64, db_index=True)
    target_type = models.CharField(_("kind of target"), max_length=32)
    target_id = models.CharField(_("target"), max_length=64, db_index=True)
    detail = models.JSONField(_("detail"), default=dict)
    address = models.CharField(_("address"), max_length=45, blank=True)
    request_id = models.CharField(_("request"), max_length=64, blank=True)

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


class Attempt(models.Model):
    """A request of a client that only counts its retries, until its answer has been handed over to the last byte.

    `id` is the key under which it is done, like an Idempotency-Key; the digest is of route and body, with our key.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    login = models.UUIDField()
    digest = models.BinaryField(max_length=32)
    about = models.UUIDField(null=True, db_index=True)
    tried_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        indexes = [models.Index(fields=["user", "digest"], name="attempt_of_user")]
