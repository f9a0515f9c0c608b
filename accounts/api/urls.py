from django.urls import path

from accounts.api import views

urlpatterns = [
    path("auth/register/", views.RegisterView.as_view()),
    path("auth/token/", views.TokenView.as_view()),
    path("auth/token/refresh/", views.RefreshView.as_view()),
    path("auth/token/revoke/", views.RevokeView.as_view()),
    path("auth/ticket/", views.TicketView.as_view()),
    path("me/", views.MeView.as_view()),
]
