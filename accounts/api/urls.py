from django.urls import path

from accounts.api import keys, views

urlpatterns = [
    path("auth/register/", views.RegisterView.as_view()),
    path("auth/token/", views.TokenView.as_view()),
    path("auth/token/refresh/", views.RefreshView.as_view()),
    path("auth/token/revoke/", views.RevokeView.as_view()),
    path("auth/ticket/", views.TicketView.as_view()),
    path("api-keys/", keys.KeysView.as_view()),
    path("api-keys/<uuid:id>/", keys.KeyView.as_view()),
    path("logins/", keys.LoginsView.as_view()),
    path("logins/<uuid:id>/", keys.LoginView.as_view()),
    path("me/", views.MeView.as_view()),
]
