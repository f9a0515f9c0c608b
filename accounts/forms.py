"""The forms of the account pages, where ours say more than those of allauth."""

from typing import Any

from allauth.account import forms
from django.forms import CharField, Form, TextInput
from django.utils.translation import gettext_lazy as _

from accounts.limiting import take_from_here


class LoginForm(forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Username or e-mail")
        self.fields["login"].widget.attrs["autocomplete"] = "username webauthn"


class SignupForm(forms.SignupForm):
    def clean(self) -> Any:
        """Raises RateLimited."""
        take_from_here("register")
        return super().clean()


class ProfileForm(Form):
    name = CharField(
        label=_("Name that others see"),
        max_length=150,
        required=False,
        widget=TextInput(attrs={"autocomplete": "name"}),
    )
