"""Arguments that several commands understand alike."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from datasync.access import EVERYTHING
from datasync.catalog.selectors import file_by_id
from datasync.exceptions import NotFound, TaskNotFound
from datasync.models import Platform, Shop, SyncProgressTask

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from datasync.models import CatalogFile

BIGGEST_ID = 2**63 - 1


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """An argument that is a whole number within bounds, for ``type=``."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ArgumentTypeError(_("“%(text)s” is no whole number") % {"text": text}) from None
        if not least <= number <= most:
            bounds = {"text": text, "least": least, "most": most}
            raise ArgumentTypeError(_("%(text)s is not between %(least)s and %(most)s") % bounds)
        return number

    return parse


def file_id(text: str) -> int:
    """The id of a file."""
    return whole_number(1, BIGGEST_ID)(text)


def find_user(username: str | None) -> User | None:
    """The user in whose name a command works; none when it was not said."""
    if not username:
        return None
    user = get_user_model().objects.filter(username=username).first()
    if user is None:
        raise NotFound(what=_("user “%(name)s”") % {"name": username})
    return user


def find_file(pk: int) -> CatalogFile:
    """The catalogued file with that id; a deleted one is not found."""
    return file_by_id(pk, sight=EVERYTHING)


def require_platform(code: str | None) -> None:
    """Refuse a platform that is not known, which would otherwise look like one without files."""
    if code and not Platform.objects.filter(code=code).exists():
        known = ", ".join(Platform.objects.order_by("code").values_list("code", flat=True))
        raise NotFound(what=_("platform “%(code)s”; known are: %(known)s") % {"code": code, "known": known or "–"})


def require_shop(shop_id: str | None, *, platform: str | None) -> None:
    """Refuse a shop that is not known, on the platform where one is named."""
    shops = Shop.objects.filter(platform_id=platform) if platform else Shop.objects.all()
    if shop_id and not shops.filter(shop_id=shop_id).exists():
        raise NotFound(what=_("shop “%(shop_id)s”") % {"shop_id": shop_id})


def find_task(task_id: str | None) -> SyncProgressTask:
    """The task with that id; the newest where none is named."""
    tasks = SyncProgressTask.objects.all()
    task = tasks.filter(task_id=task_id).first() if task_id else tasks.first()
    if task is None:
        raise TaskNotFound(what=task_id or _("no task has been submitted yet"))
    return task
