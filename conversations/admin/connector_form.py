"""The form of a connector: its configuration as JSON, its secrets as fields that never show what they hold."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from chatproject.lib.errors import Problem
from conversations.connectors import cleaning
from conversations.connectors.kind import table
from conversations.models import Connector

PREFIX = "secret_"
LABELS = {"api_key": _("Key"), "token": _("Token or key"), "client_secret": _("Client secret")}


class Configuration(forms.JSONField):
    """JSON, a value in each line."""

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else json.dumps(value or {}, indent=2, ensure_ascii=False)


def _secret(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=_("Empty: what is stored stays. It is never shown."),
    )


class ConnectorForm(forms.ModelForm):
    """`given` is what the verbs take, once the form is valid."""

    kind = forms.ChoiceField(label=_("Kind"), widget=UnfoldAdminSelectWidget())
    config = Configuration(
        label=_("Configuration"),
        widget=UnfoldAdminTextareaWidget({"rows": 14, "spellcheck": "false"}),
        help_text=_("JSON; what belongs in it is on the page about connectors of the documentation."),
    )
    secret_api_key = _secret(LABELS["api_key"])
    secret_token = _secret(LABELS["token"])
    secret_client_secret = _secret(LABELS["client_secret"])
    forget = forms.BooleanField(
        label=_("Forget the stored secrets"), required=False, widget=UnfoldBooleanSwitchWidget()
    )

    class Meta:
        model = Connector
        fields = ("name", "kind", "description", "enabled", "config")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:
            self.fields["kind"].choices = [(name, kind.title) for name, kind in table().items()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """What the verbs would refuse is refused here, at its field."""
        cleaned = super().clean() or self.cleaned_data
        self.given = {name: cleaned[name] for name in self._meta.fields or () if name in cleaned}
        self.given["secrets"] = self._secrets(cleaned)
        if self.errors:
            return cleaned
        try:
            row = Connector(id=self.instance.id, secrets=self.instance.secrets)
            cleaning.fill(row, self.given)
        except Problem as problem:
            for field, sentences in (problem.errors or {"": [problem.detail]}).items():
                self.add_error(field if field in self.fields else None, sentences)
        return cleaned

    def _secrets(self, cleaned: dict[str, Any]) -> dict[str, str | None]:
        """Those that were written; with `forget`, null for all others."""
        kind = table().get(cleaned.get("kind", ""))
        names = kind.secrets if kind else ()
        written = {name: cleaned.get(PREFIX + name) for name in LABELS}
        # What another kind has a field for is told as wrong, not dropped.
        given: dict[str, str | None] = {name: value for name, value in written.items() if value}
        return {**(dict.fromkeys(names) if cleaned.get("forget") else {}), **given}
