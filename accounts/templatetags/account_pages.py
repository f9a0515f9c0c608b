"""What the templates of the account pages need."""

from django import template
from django.forms import BoundField

register = template.Library()


@register.filter
def bare(field: BoundField) -> BoundField:
    """A field without the placeholder that allauth gives it: ours have labels, which stay readable."""
    field.field.widget.attrs.pop("placeholder", None)
    return field
