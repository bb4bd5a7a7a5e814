"""Addresses of sign-in and of the API's own document."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from erp.api.sign_in import LoginView, LogoutView, MeView
from erp.api.tokens import TokensView, TokenView

urlpatterns = [
    path("auth/login", LoginView.as_view(), name="login"),
    path("auth/logout", LogoutView.as_view(), name="logout"),
    path("auth/me", MeView.as_view(), name="me"),
    path("auth/tokens", TokensView.as_view(), name="tokens"),
    path("auth/tokens/<int:token_id>", TokenView.as_view(), name="token"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
]
