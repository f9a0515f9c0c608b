"""Every route of the product."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts import keypages
from accounts.views import account, choose_language, key_set
from chatproject import errors, health
from conversations.api.chat import ChatView

urlpatterns = [
    path("api/v1/", include("accounts.api.urls")),
    path("api/v1/", include("conversations.api.urls")),
    path("v1/chat", ChatView.as_view()),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema")),
    path("account/", account, name="account"),
    path("accounts/api-keys/", keypages.keys, name="api_keys"),
    path("accounts/api-keys/<uuid:id>/revoke/", keypages.revoke, name="api_key_revoke"),
    path("accounts/logins/<uuid:id>/end/", keypages.end, name="login_end"),
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("accounts/", include("allauth.urls")),
    path(".well-known/jwks.json", key_set),
    path("language/", choose_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("metrics", health.metrics_page),
    path("", include("conversations.urls")),
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.not_found
handler429 = errors.too_many_requests
handler500 = errors.server_error
