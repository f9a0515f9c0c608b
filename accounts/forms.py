"""The forms of allauth, with labels that need no placeholder beside them."""

from typing import Any

from allauth.account import forms
from django.forms import Form
from django.utils.translation import gettext_lazy as _

from accounts.limiting import take_from_here


class LoginForm(forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Username or e-mail")
        self.fields["login"].widget.attrs["autocomplete"] = "username"
        _without_placeholders(self)


class SignupForm(forms.SignupForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _without_placeholders(self)

    def clean(self) -> Any:
        """Raises RateLimited."""
        take_from_here("register")
        return super().clean()


def _without_placeholders(form: Form) -> None:
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
