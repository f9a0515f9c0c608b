"""What a conversation can begin with, as staff wrote it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from chatproject.lib.ids import new_id


class Template(models.Model):
    """A conversation begun from it gets its title, assistant, messages, metadata and tags.

    `title`, the texts of `system` and `pinned`, and texts in `metadata` may hold `{{ name }}` for each of the
    `variables` (templating/variables.py). `version` grows with each change. Texts are in clear: they are the
    work of staff; what becomes of them in a conversation is encrypted like everything there.
    """

    class Visibility(models.TextChoices):
        EVERYBODY = "everybody", _("everybody")
        STAFF = "staff", _("staff")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(_("short name"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=100)
    description = models.CharField(_("description"), max_length=500, blank=True)
    title = models.CharField(_("title"), max_length=200, blank=True)
    assistant = models.CharField(_("assistant"), max_length=64, null=True, blank=True)
    system = models.JSONField(_("system messages"), default=list, blank=True)
    pinned = models.JSONField(_("pinned messages"), default=list, blank=True)
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    variables = models.JSONField(_("variables"), default=list, blank=True)
    active = models.BooleanField(_("active"), default=True)
    visibility = models.CharField(_("offered to"), max_length=16, choices=Visibility, default=Visibility.EVERYBODY)
    version = models.PositiveIntegerField(_("version"), default=1)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name
