"""What is wrong with this installation, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.management.base import ConsoleCommand, Exit, Outcome
from datasync.management.tables import table
from erp.doctor import Finding, Status, examine


class Command(ConsoleCommand):
    """Exits with 5 when something keeps the product from working; warnings do not."""

    summary = gettext_lazy("Say what is wrong with this installation, and what to do about it.")
    requires_system_checks = ()  # a broken installation is what it is for

    def work(self, options: dict[str, Any]) -> Outcome:  # noqa: ARG002 - it has none of its own
        findings = list(examine())
        failed = any(finding.status is Status.FAIL for finding in findings)
        return Outcome(
            document={"ok": not failed, "checks": [asdict(finding) for finding in findings]},
            lines=_lines(findings),
            exit=Exit.UNAVAILABLE if failed else Exit.OK,
        )


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    rows = [(finding.name, str(finding.status), finding.seconds * 1000, finding.detail) for finding in findings]
    yield from table([_("check"), _("status"), "ms", _("found")], rows)
    for finding in findings:
        if finding.advice:
            yield ""
            yield f"{finding.name}: {finding.detail}"
            yield f"  {finding.advice}"
