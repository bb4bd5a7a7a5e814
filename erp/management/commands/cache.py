"""The cache: what is in it and how often that helped, clear it, fill it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.management.base import ActionsCommand, Exit, Outcome
from datasync.management.tables import facts, table
from erp.caching import selectors, services


class Command(ActionsCommand):
    summary = gettext_lazy("Say what is cached and how often that helped, clear it, or compute it in advance.")

    def add_actions(self) -> None:
        """Declare the actions."""
        self.add_action("status", self.status, _("say what is cached; ends with 5 where the cache does not answer"))
        clear = self.add_action("clear", self.clear, _("make outdated what is cached"))
        clear.add_argument("--tag", help=_("only what was computed from this, see “status”; by default everything"))
        self.add_action("warm", self.warm, _("compute what is asked for most, where it is not there"))

    def status(self, _options: dict[str, Any]) -> Outcome:
        """What is cached, and what came of each question."""
        found = selectors.standing()
        document = asdict(found) | {
            "shared": found.shared,
            "kinds": [asdict(kind) | {"hit_percent": kind.hit_percent} for kind in found.kinds],
        }
        headers = (_("cached"), _("seconds"), _("hits %"), _("hits"), _("misses"), _("shared"), _("bypassed"),
                   _("errors"), _("outdated by"))  # fmt: skip
        rows = (
            (kind.kind, kind.ttl_seconds, kind.hit_percent, kind.hits, kind.misses, kind.shared, kind.bypassed,
             kind.errors, ", ".join(kind.tags))
            for kind in found.kinds
        )  # fmt: skip
        where = _("Redis") if found.shared else _("the memory of each process; the numbers are of this one alone")
        told = _("answers") if found.available else _("does not answer; everything is computed")
        lines = [*facts([(_("kept in"), where), (_("the cache"), told)]), "", *table(headers, rows)]
        changes = ((tag.tag, tag.invalidations) for tag in found.tags)
        lines += ["", *table((_("tag"), _("changes")), changes)]
        return Outcome(document, lines, Exit.OK if found.available else Exit.UNAVAILABLE)

    def clear(self, options: dict[str, Any]) -> Outcome:
        """Make outdated what was computed from a tag, or everything."""
        cleared = services.clear(options["tag"])
        return Outcome({"tag": cleared}, [_("Cleared: %(tag)s") % {"tag": cleared}])

    def warm(self, _options: dict[str, Any]) -> Outcome:
        """Compute in advance."""
        warmed = services.warm()
        lines = list(table((_("cached"), _("computed")), warmed.kinds.items()))
        return Outcome({"computed": warmed.computed, "kinds": warmed.kinds}, lines)
