"""Whose shop a file is: found by the platform's id or by a label, made when it is new."""

from __future__ import annotations

import unicodedata
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from datasync.access import Sight
from datasync.catalog.description import Description
from datasync.catalog.regions import region_of
from datasync.currencies import currency_code
from datasync.exceptions import InvalidRequest
from datasync.models import Shop, ShopAlias


class ShopBook:
    """The shops of all platforms, read once and kept up to date by its own additions.

    For whoever is limited to shops it adds nothing: neither shops, nor labels, by which rows of others are told apart.
    """

    def __init__(self, *, sight: Sight) -> None:
        self._sight = sight
        self._by_id: dict[tuple[str, str], Shop] = {}
        self._by_label: dict[tuple[str, str], Shop] = {}
        for shop in Shop.objects.all():
            self._remember(shop)
        self._aliases: set[tuple[str, str]] = set()
        for alias in ShopAlias.objects.select_related("shop"):
            self._by_label[alias.platform_id, folded(alias.label)] = alias.shop
            self._aliases.add((alias.platform_id, folded(alias.label)))

    @property
    def labels(self) -> frozenset[str]:
        """Every text that names a shop, in folded form."""
        return frozenset(label for _, label in (*self._by_label, *self._by_id))

    def shop_for(self, description: Description) -> Shop | None:
        """The shop that a description names, made if it is new; None when it names none or no platform is known.

        Raises ``InvalidRequest`` for one out of sight.
        """
        shop_id, label = clean(description.shop_id, 100), clean(description.shop_label, 200)
        if not description.platform or not (shop_id or label):
            return None
        shop = self.find(description)
        if self._sight.limited:
            return self._in_sight(shop, name=label or shop_id)
        if shop is None:
            shop = self._create(description, shop_id=shop_id or label[:100], label=label)
        elif shop_id:
            self._give_id(shop, shop_id)
        if label and (description.platform, folded(label)) not in self._aliases:
            self._add_alias(shop, label)
        return shop

    def find(self, description: Description) -> Shop | None:
        """The known shop that a description names: by its id, or by its label unless that is of another id."""
        platform = description.platform
        shop_id, label = clean(description.shop_id, 100), clean(description.shop_label, 200)
        if shop_id and (shop := self._by_id.get((platform, shop_id))):
            return shop
        if not label:
            return None
        named = self._by_label.get((platform, folded(label))) or self._by_id.get((platform, label[:100]))
        return named if named and (not shop_id or _is_provisional(named)) else None

    def _in_sight(self, shop: Shop | None, *, name: str) -> Shop:
        if shop is None or not self._sight.sees_shop(shop.pk):
            told = _("The file is said to be of the shop %(name)s, which is none of yours.") % {"name": name}
            raise InvalidRequest(detail=told, field="shop_id")
        return shop

    def _create(self, description: Description, *, shop_id: str, label: str) -> Shop:
        region = region_of(label or shop_id, code=description.region)
        known = {
            "name": label,
            "region": region.code if region else description.region,
            "currency": currency_code(description.currency) or (region.currency if region else ""),
        }
        zone = description.timezone if _is_zone(description.timezone) else (region.timezone if region else "")
        if zone:
            known["timezone"] = zone
        shop, _ = Shop.objects.get_or_create(platform_id=description.platform, shop_id=shop_id, defaults=known)
        self._remember(shop)
        return shop

    def _give_id(self, shop: Shop, shop_id: str) -> None:
        """A shop first known by its label gets the platform's id once that is told."""
        if shop.shop_id != shop_id:
            shop.shop_id = shop_id
            shop.save(update_fields=["shop_id"])
            self._remember(shop)

    def _add_alias(self, shop: Shop, label: str) -> None:
        try:
            with transaction.atomic():
                ShopAlias.objects.get_or_create(platform_id=shop.platform_id, label=label, defaults={"shop": shop})
        except IntegrityError:  # another process added the same label at the same time
            return
        self._by_label.setdefault((shop.platform_id, folded(label)), shop)
        self._aliases.add((shop.platform_id, folded(label)))

    def _remember(self, shop: Shop) -> None:
        self._by_id[shop.platform_id, shop.shop_id] = shop
        if shop.name:
            self._by_label.setdefault((shop.platform_id, folded(shop.name)), shop)


def folded(label: str) -> str:
    """The form in which labels are compared."""
    return " ".join(unicodedata.normalize("NFKC", label).casefold().split())


def clean(text: str, length: int) -> str:
    """A text that a database can hold, without white space around it."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode().strip()[:length]


def _is_provisional(shop: Shop) -> bool:
    return folded(shop.shop_id) == folded(shop.name)[:100]


def _is_zone(name: str) -> bool:
    try:
        return bool(name) and ZoneInfo(name) is not None
    except (ValueError, OSError, KeyError):
        return False
