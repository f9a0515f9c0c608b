"""Pages of libraries work under our policies (chatproject/headers.py): whatever a browser stops fails `visitor`."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from tests.serving import Serve

pytestmark = pytest.mark.browser
ADMIN = ("", "conversations/conversation/", "conversations/template/add/", "accounts/user/", "accounts/user/add/")


def test_the_admin(visitor: Callable[..., Page], product: Serve) -> None:
    page = visitor()
    page.goto("/admin/")
    page.get_by_label("Username or e-mail").fill("admin")
    page.get_by_label("Password").fill(product.wait_for("Admin user: admin, password: ").split()[0])
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page).to_have_url(re.compile("/admin/"))
    for path in ADMIN:
        page.goto(f"/admin/{path}")
        expect(page).to_have_title(re.compile("Conversations"))
        page.wait_for_load_state("networkidle")


def test_the_description_of_the_api(visitor: Callable[..., Page]) -> None:
    page = visitor()
    page.goto("/api/docs/")
    page.get_by_role("button", name="GET /api/v1/assistants/", exact=True).click()
    expect(page.get_by_role("button", name="Try it out")).to_be_visible()
    page.wait_for_load_state("networkidle")


def test_code_and_markup_of_others_are_stopped(browser: Browser, site: str) -> None:
    """On our own pages, a script cannot even make markup of a text."""
    page = browser.new_page(base_url=site)
    page.goto("/accounts/login/")
    made = "() => { try { document.body.innerHTML = '<b>x</b>'; return 'made' } catch (error) { return error.name } }"
    assert page.evaluate(made) == "TypeError"
    with pytest.raises(Error, match="Content Security Policy"):
        page.add_style_tag(content="body { display: none }")
    page.close()
