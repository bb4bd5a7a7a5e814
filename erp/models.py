"""What the project itself stores: sign-in tokens, and when each worker was last heard of."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from erp.asked_along import keep_answers, questions
from erp.compiled import compiled

SECRET_BYTES = 32
USE_RECORDED_EVERY = timedelta(hours=1)


def digest_of(secret: str) -> str:
    """What is stored of a secret. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def password_digest(user: AbstractBaseUser) -> str:
    """What changes with the person's password, and tells nothing of it."""
    return digest_of(user.get_session_auth_hash())


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Tokens by what may be done with them."""

    def usable(self) -> ApiTokenQuerySet:
        """Neither revoked nor expired, and of a person who may still sign in."""
        return self.filter(revoked_at=None, expires_at__gt=Now(), user__is_active=True)


class ApiToken(models.Model):
    """A bearer token of the API. Only its digest is stored, so that a stolen database signs nobody in.

    ``password_digest`` is of the password with which it was issued: a new password ends it, as it ends sessions.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens", verbose_name=_("user")
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    password_digest = models.CharField(max_length=64, editable=False)
    label = models.CharField(_("label"), max_length=100, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires"))
    last_used_at = models.DateTimeField(_("last used, to the hour"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return self.label or f"{self.pk}"

    @classmethod
    def issue(cls, *, user: AbstractBaseUser, label: str = "") -> tuple[ApiToken, str]:
        """Make a token; the secret beside it is shown this once and stored nowhere."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        token = cls.objects.create(
            user_id=user.pk,
            digest=digest_of(secret),
            password_digest=password_digest(user),
            label=label,
            expires_at=timezone.now() + timedelta(days=settings.TOKEN_DAYS),
        )
        return token, secret

    @classmethod
    def find(cls, secret: str) -> ApiToken | None:
        """The token with this secret, with its user, if it may still be used."""
        token = _by_digest.first(digest_of(secret))
        if token is None or not constant_time_compare(token.password_digest, password_digest(token.user)):
            return None
        keep_answers(token.user, token)
        return token

    def record_use(self) -> None:
        """Note that it was used, at most once an hour, so that reading does not become writing."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at >= USE_RECORDED_EVERY:
            self.last_used_at = now
            self.save(update_fields=["last_used_at"])

    def revoke(self) -> None:
        """End it at once and for good."""
        self.revoked_at = timezone.now()
        self.save(update_fields=["revoked_at"])


@compiled
def _by_digest(digest: str) -> ApiTokenQuerySet:
    return ApiToken.objects.usable().select_related("user").filter(digest=digest).annotate(**questions()).order_by()


class WorkerHeartbeat(models.Model):
    """When the event loop of a worker last turned while it was connected to the broker."""

    worker = models.CharField(_("worker"), max_length=200, unique=True)
    seen_at = models.DateTimeField(_("last heard of"), db_index=True)

    class Meta:
        ordering = ("-seen_at",)
        verbose_name = _("worker heartbeat")
        verbose_name_plural = _("worker heartbeats")

    def __str__(self) -> str:
        return self.worker
