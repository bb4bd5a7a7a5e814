"""What waits for an operator: the start page says it before anybody has to look for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.access import Sight
from datasync.admin.sight import within
from datasync.choices import FileState, QuarantineState
from datasync.models import CatalogFile, Shop
from datasync.quarantine import selectors

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User
    from django_stubs_ext import StrPromise

_MOST_NAMED = 20
_BY_STATE: dict[FileState, StrPromise] = {
    FileState.TEMPLATE_UPDATE_REQUIRED: gettext_lazy("Suggest a mapping, look at it and publish it; then sync again."),
    FileState.NEEDS_DESCRIPTION: gettext_lazy("Say on the file's page what it holds."),
    FileState.FAILED: gettext_lazy("Read the error on the file's page; it says what to do."),
    FileState.SOURCE_MISSING: gettext_lazy("Put the file back and scan again, or delete it."),
    FileState.PENDING: gettext_lazy("Choose the files and run “Sync”."),
}


@dataclass(frozen=True, slots=True)
class Step:
    """How many of what wait, where they are, and what to do with them."""

    what: object
    count: str
    address: str
    advice: object


def next_steps(user: User | AnonymousUser) -> list[Step]:
    """What waits for the person, as far as it is in their sight and they may see it."""
    steps: list[Step] = []
    if _may_look_at("catalogfile", user):
        steps += _files(Sight.of(user))
    if _may_look_at("quarantinedrow", user):
        steps += _rows(Sight.of(user))
    return steps


def shops_in_sight(user: User | AnonymousUser) -> str:
    """What whoever is limited to shops is told of it; blank for all others."""
    sight = Sight.of(user)
    if not sight.limited:
        return ""
    names = [str(shop) for shop in Shop.objects.filter(sight.shops())[: _MOST_NAMED + 1]]
    if not names:
        return _("You are limited to shops, and none is named: ask whoever looks after people here.")
    more = " …" if len(names) > _MOST_NAMED else ""
    return _("You see what belongs to these shops: %(names)s.") % {"names": ", ".join(names[:_MOST_NAMED]) + more}


def _may_look_at(model: str, user: User | AnonymousUser) -> bool:
    """Whether the console shows the list: to whoever may see its rows, or change them."""
    return user.has_perm(f"datasync.view_{model}") or user.has_perm(f"datasync.change_{model}")


def _files(sight: Sight) -> Iterator[Step]:
    address = reverse("admin:datasync_catalogfile_changelist")
    counts = dict(within(CatalogFile.objects.order_by(), sight).values_list("state").annotate(count=Count("pk")))
    if not sight.limited and not any(count for state, count in counts.items() if state != FileState.DELETED):
        first = _("Put export files into a configured folder and press “Scan folders”.")
        yield Step(_("no files yet"), "0", address, first)
    for state, advice in _BY_STATE.items():
        if count := counts.get(state):
            what = _("files: %(state)s") % {"state": state.label}
            yield Step(what, f"{count:,}", f"{address}?state__exact={state}", advice)


def _rows(sight: Sight) -> Iterator[Step]:
    address = reverse("admin:datasync_quarantinedrow_changelist")
    for state, advice in (
        (QuarantineState.OPEN, _("Correct or discard them; whole columns at once, or in a spreadsheet.")),
        (QuarantineState.CORRECTED, _("Release them.")),
    ):
        if count := selectors.present_rows(sight=sight).filter(state=state).count():
            what = _("quarantined rows: %(state)s") % {"state": state.label}
            yield Step(what, f"{count:,}", f"{address}?state__exact={state}", advice)
