"""Whose data a person may see: everything, or what belongs to some shops, the same at every door.

Selectors and services that read or act for a person take ``sight`` as a keyword without a default. What is out of sight
is told as what does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from datasync.exceptions import LimitedToShops
from datasync.models import CatalogFile, ShopLimit, SyncTaskFile
from erp.asked_along import answer
from erp.compiled import compiled

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from datasync.models import SyncProgressTask

ASKED_ALONG = "shops_in_sight"
_REMEMBERED = "_datasync_sight"
_NO_SHOP = frozenset({0})
"""In place of an empty list, for which there is no SQL: some statements are put together by hand."""


@dataclass(frozen=True, slots=True)
class Sight:
    """The shops that are seen, by primary key; ``shop_ids`` None: everything.

    ``person_id`` is whose sight it is: an upload of theirs that has no shop yet is theirs to see. ``scopes`` are the
    shops with the codes of their platforms.
    """

    shop_ids: frozenset[int] | None
    person_id: int | None = None
    scopes: frozenset[tuple[str, int]] = field(default=frozenset(), compare=False)

    @classmethod
    def of(cls, person: AbstractBaseUser | AnonymousUser) -> Sight:
        """What a person sees, remembered on ``person``: superusers see everything, nobody nothing.

        It was asked along with the token, or costs a query.
        """
        if person.pk is None:
            return NOTHING
        if getattr(person, "is_superuser", False):
            return EVERYTHING
        known = getattr(person, _REMEMBERED, None)
        if not isinstance(known, Sight):
            known = _read(cast("AbstractBaseUser", person))
            setattr(person, _REMEMBERED, known)
        return known

    @classmethod
    def of_uploader(cls, file: CatalogFile) -> Sight:
        """What whoever brought the file's content saw then, whatever they see now and whether or not they are there."""
        return EVERYTHING if file.seen_shops is None else cls(frozenset(file.seen_shops))

    @property
    def limited(self) -> bool:
        """Whether anything is out of sight."""
        return self.shop_ids is not None

    @property
    def seen_shops(self) -> list[int] | None:
        """The shops in sight as rows keep them, to be asked later what was in sight then; None: all."""
        return None if self.shop_ids is None else sorted(self.shop_ids)

    def sees_shop(self, shop_id: int | None) -> bool:
        """Whether what belongs to this shop, or to none, is in sight."""
        return self.shop_ids is None or shop_id in self.shop_ids

    def sees_file(self, file: CatalogFile) -> bool:
        """What ``files`` asks the database, of a file at hand."""
        own = file.shop_id is None and self.person_id is not None and file.uploaded_by_id == self.person_id
        return own or self.sees_shop(file.shop_id)

    def shops(self) -> Q:
        """Shops in sight."""
        return Q() if self.shop_ids is None else Q(pk__in=self.shop_ids or _NO_SHOP)

    def require_everything(self) -> None:
        """For what concerns all shops; raises ``LimitedToShops``."""
        if self.limited:
            raise LimitedToShops

    def files(self, prefix: str = "") -> Q:
        """Files in sight: of a shop that is, or without one and uploaded by this person.

        ``prefix`` is the way from the rows asked for to their file, such as ``file__``.
        """
        seen = self._of_shops(prefix)
        if self.limited and self.person_id is not None:
            seen |= Q(**{f"{prefix}shop__isnull": True, f"{prefix}uploaded_by": self.person_id})
        return seen

    def files_to_load(self, prefix: str = "") -> Q:
        """Files whose rows may be stored: of a shop in sight. The rows of a file without one may be of any shop."""
        return self._of_shops(prefix)

    def may_load(self, file: CatalogFile) -> bool:
        """The same of a file at hand."""
        return self.sees_shop(file.shop_id)

    def facts(self) -> Q:
        """Facts in sight, or what else belongs to a shop, such as reports: of one that is."""
        return self._of_shops()

    def rows(self) -> Q:
        """Quarantined rows in sight, or what else belongs to a file: of one that is."""
        return self.files("file__")

    def tasks(self) -> Q:
        """Tasks in sight: those none of whose files is out of it."""
        if self.shop_ids is None:
            return Q()
        return Q(~Exists(SyncTaskFile.objects.filter(task=OuterRef("pk")).exclude(self.files("file__"))))

    def _of_shops(self, prefix: str = "") -> Q:
        return Q() if self.shop_ids is None else Q(**{f"{prefix}shop__in": self.shop_ids or _NO_SHOP})


EVERYTHING = Sight(None)
"""Of whoever is not limited, and of the command line."""
NOTHING = Sight(frozenset())


def may_see(user: AbstractBaseUser, task: SyncProgressTask, *, sight: Sight) -> bool:
    """Whether a person may be told which task it is: their own, and any where nothing is kept from them."""
    return task.owner_id == user.pk or (bool(getattr(user, "is_staff", False)) and not sight.limited)


def shops_for(person: Any) -> QuerySet[ShopLimit, dict[str, Any]]:
    """The shops to which a person is limited, with their platforms; ``person`` is a key, or a reference to one."""
    limits: Any = ShopLimit.objects.filter(user_id=person).order_by()
    shops: QuerySet[ShopLimit, dict[str, Any]] = limits.values(platform=F("shops__platform_id"), shop=F("shops"))
    return shops


def _read(person: AbstractBaseUser) -> Sight:
    told = answer(person, ASKED_ALONG)
    found = _shops_of(int(person.pk)) if told is None else told
    if not found:
        return EVERYTHING
    scopes = frozenset((row["platform"], row["shop"]) for row in found if row["shop"] is not None)
    return Sight(frozenset(shop for _platform, shop in scopes), person.pk, scopes)


@compiled
def _shops_of(person_id: int) -> QuerySet[ShopLimit, dict[str, Any]]:
    return shops_for(person_id)
