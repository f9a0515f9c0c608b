"""What staff connected at run time, and what users allowed it to do in their name."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from chatproject.lib.ids import new_id


class Connector(models.Model):
    """Something that answers, or offers tools: a definition of an assistant that is made without a restart.

    `config` is what its kind asks for (connectors/kind.py), `secrets` an envelope of what nobody is shown again.
    `version` grows with each change; `health` is how the last check went.
    """

    class Health(models.TextChoices):
        UNKNOWN = "", _("not checked")
        OK = "ok", _("works")
        FAILING = "failing", _("fails")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.SlugField(_("name"), max_length=64, unique=True)
    kind = models.CharField(_("kind"), max_length=32)
    description = models.CharField(_("description"), max_length=200, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    config = models.JSONField(_("configuration"), default=dict, blank=True)
    secrets = models.TextField(blank=True)
    version = models.PositiveIntegerField(_("version"), default=1)
    health = models.CharField(_("health"), max_length=16, choices=Health, default=Health.UNKNOWN, blank=True)
    health_detail = models.CharField(_("what the check found"), max_length=300, blank=True)
    checked_at = models.DateTimeField(_("checked"), null=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("connector")
        verbose_name_plural = _("connectors")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Authorisation(models.Model):
    """What a user allowed a connector to do in their name. `tokens` is an envelope of the provider's tokens."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="authorisations")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    tokens = models.TextField()
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connector", "user"], name="authorisation_once")]

    def __str__(self) -> str:
        return f"{self.connector_id} {self.user_id}"
