"""Sign-in for programs: a token for a name and a password, its end, and who one is."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate, logout
from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from erp.api.authentication import person_of
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import StrictSerializer, StrictText, validated
from erp.lockout.exceptions import SignInLocked
from erp.lockout.services import forget_failures, refuse_if_locked
from erp.models import ApiToken

_PERSON = {
    "id": 3,
    "username": "li.na",
    "name": "Li Na",
    "email": "li.na@example.com",
    "is_staff": False,
    "roles": ["operator"],
}


class WrongCredentials(AuthenticationFailed):
    """Which of the two was wrong is not told."""

    default_detail = gettext_lazy("The name or the password is wrong.")


class Credentials(StrictSerializer):
    """Name and password; ``label`` says later which program a token belongs to."""

    username = StrictText(max_length=150)
    password = StrictText(max_length=1000, trim_whitespace=False)
    label = StrictText(max_length=100, required=False, allow_blank=True, default="")  # type: ignore[assignment]


class Person(serializers.ModelSerializer[User]):
    """A signed-in person. Roles are the groups."""

    name = serializers.CharField(source="get_full_name", read_only=True)
    email = serializers.CharField(read_only=True, allow_blank=True)
    roles = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ("id", "username", "name", "email", "is_staff", "roles")
        read_only_fields = fields

    def get_roles(self, user: User) -> list[str]:
        """The names of the person's groups."""
        return sorted(user.groups.values_list("name", flat=True))


class Login(serializers.Serializer[Any]):
    """A new token; it is shown this once."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    user = Person()


class LoginView(APIView):
    """``POST /api/auth/login``"""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @documented(
        name="login",
        summary="Sign in and get a token",
        tag="auth",
        answer=Login,
        example={"token": "5Qm…", "expires_at": "2026-04-05T05:16:50Z", "user": _PERSON},
        body=Credentials,
        body_example={"username": "li.na", "password": "a long pass phrase", "label": "collector-01"},
        errors=(WrongCredentials, SignInLocked),
        public=True,
    )
    def post(self, request: Request) -> Answer:
        asked = validated(Credentials, request.data)
        user = authenticate(request, username=asked["username"], password=asked["password"])
        if user is None:
            refuse_if_locked(request, username=asked["username"])
            raise WrongCredentials
        forget_failures(request, username=asked["username"])
        token, secret = ApiToken.issue(user=user, label=asked["label"])
        data = Login({"token": secret, "expires_at": token.expires_at, "user": user}).data
        return Answer(data, message=_("Signed in."))


class LogoutView(APIView):
    """``POST /api/auth/logout``"""

    @documented(
        name="logout", summary="Revoke the token, or end the session, of this request", tag="auth", changes=True
    )
    def post(self, request: Request) -> Answer:
        if isinstance(request.auth, ApiToken):
            request.auth.revoke()
        else:
            logout(request)
        return Answer(None, message=_("Signed out."))


class MeView(APIView):
    """``GET /api/auth/me``"""

    @documented(name="who_am_i", summary="Who is signed in", tag="auth", answer=Person, example=_PERSON)
    def get(self, request: Request) -> Answer:
        return Answer(Person(person_of(request)).data)
