"""The agents' desk."""

from django.utils.translation import gettext_lazy as _

from conversations.models.conversation import Conversation


class DeskEntry(Conversation):
    """A conversation as the desk shows it, for staff who may answer: `answer_as_agent` opens it, and nothing else."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = _("conversation for people")
        verbose_name_plural = _("agents' desk")
