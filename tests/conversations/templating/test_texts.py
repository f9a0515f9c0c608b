"""Texts with names in them: nothing but names works, and what is filled in is not looked at again."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.templating import texts
from conversations.templating.texts import Source, WrongText

NAMES = ("customer", "amount")


def filled(text: str, **values: str) -> str:
    return texts.fill(Source(uuid4(), 1, (text,)), text, {"customer": "", "amount": ""} | values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nothing to fill in", "Nothing to fill in"),
        ("Dear {{ customer }},", "Dear Ada,"),
        ("{{customer}}{{amount}}", "Ada7"),
        ("你好{{ customer }}，", "你好Ada，"),
        ("{ customer } {customer} $customer %(customer)s", "{ customer } {customer} $customer %(customer)s"),
        ("<b>{{ customer }}</b>", "<b>Ada</b>"),
        ("one {# never said #}two", "one two"),
    ],
)
def test_filled(text: str, expected: str) -> None:
    texts.check(text, NAMES)
    assert filled(text, customer="Ada", amount="7") == expected


@pytest.mark.parametrize(
    "text",
    [
        "{{ password }}",
        "{{ customer.pk }}",
        "{{ customer.__class__ }}",
        "{{ customer|upper }}",
        "{{ customer|safe }}",
        '{{ "customer" }}',
        "{{ 5 }}",
        '{{ _("customer") }}',
        "{{ }}",
        "{{ customer amount }}",
        "{% if customer %}yes{% endif %}",
        "{% load i18n %}",
        "{% include 'base.html' %}",
        "{% now 'Y' %}",
        "{% debug %}",
    ],
)
def test_anything_but_a_name_is_refused(text: str) -> None:
    with pytest.raises(WrongText):
        texts.check(text, NAMES)


@given(st.text())
def test_what_is_filled_in_stays_what_it_is(value: str) -> None:
    assert filled("<{{ customer }}>", customer=value, amount="secret") == f"<{value}>"


@pytest.mark.parametrize("value", ["{{ amount }}", "{% debug %}", "{# x #}", "{{ customer }}", "&amp;<script>"])
def test_injection_is_text(value: str) -> None:
    assert filled("Dear {{ customer }}", customer=value, amount="secret") == f"Dear {value}"


def test_compiled_once_per_version() -> None:
    texts.compiled.cache_clear()
    template = uuid4()
    for version, text in ((1, "A {{ customer }}"), (1, "A {{ customer }}"), (2, "B {{ customer }}")):
        filled_in = texts.fill(Source(template, version, (text,)), text, {"customer": "Ada"})
        assert filled_in == f"{text[0]} Ada"
    info = texts.compiled.cache_info()
    assert (info.hits, info.misses) == (1, 2)
