"""Header templates: load, list, validate, export; suggest one for an unknown header; work on their versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.access import EVERYTHING
from datasync.choices import DomainChoice, TemplateState
from datasync.exceptions import InvalidRequest, SyncError
from datasync.management.arguments import file_id, find_file, find_user, require_platform
from datasync.management.base import ActionsCommand, ConsoleError, Exit, Outcome, console_error
from datasync.management.remap import add_remap_action
from datasync.management.tables import facts, table
from datasync.management.template_versions import add_version_actions
from datasync.mapping import services
from datasync.mapping.loading import LoadAction
from datasync.mapping.suggestions import hindrance
from datasync.mapping.versions import exported, find_template
from datasync.models import CatalogFile, HeaderTemplate


class Command(ActionsCommand):
    summary = gettext_lazy("Header templates: load, look, compare, draft, publish, archive; suggest one for a file.")

    def add_actions(self) -> None:
        """Declare the actions."""
        load = self.add_action("load", self.load, _("publish the built-in templates; for files see “import”"))
        load.add_argument("--force", action="store_true", help=_("publish them over an operator's too, as newer ones"))
        load.add_argument("--user", help=_("in whose name"))
        load.add_argument("--dry-run", action="store_true", help=_("change nothing, say what would happen"))
        suggest = self.add_action("suggest", self.suggest, _("suggest a mapping for a file's header"))
        suggest.add_argument("file_id", type=file_id, help=_("id of the file"))
        publish = self.add_action(
            "publish-suggestion", self.publish_suggestion, _("publish a file's suggested mapping as a template")
        )
        publish.add_argument("file_id", type=file_id, help=_("id of the file"))
        publish.add_argument("--user", help=_("in whose name"))
        validate = self.add_action("validate", self.validate, _("check template files; change nothing"))
        validate.add_argument("paths", nargs="+", type=Path, help=_("template files"))
        listed = self.add_action("list", self.list, _("list the templates"))
        listed.add_argument("--platform", help=_("only of this platform"))
        listed.add_argument("--domain", choices=DomainChoice.values, help=_("only of this domain"))
        listed.add_argument("--state", choices=TemplateState.values, help=_("only in this state"))
        export = self.add_action("export", self.export, _("write a template as a data file that “import” takes"))
        export.add_argument("template_id", type=file_id, help=_("id of the template, see “list”"))
        export.add_argument("--output", type=Path, help=_("file to write; none: standard output"))
        add_version_actions(self.add_action)
        add_remap_action(self.add_action)

    def load(self, options: dict[str, Any]) -> Outcome:
        """Publish the built-in templates, or say which that would be."""
        dry_run, actor = options["dry_run"], find_user(options["user"])
        result = services.load_builtin_templates(force=options["force"], actor=actor, dry_run=dry_run)
        told = [(name, str(action)) for name, action in result.templates if action is not LoadAction.UNCHANGED]
        document = {"dry_run": dry_run, **result.counts}
        document |= {"templates": [{"name": name, "action": action} for name, action in told]}
        lines = [*facts(result.counts.items())]
        if told:
            lines += ["", *table((_("template"), _("what")), told)]
        return Outcome(document, [*lines, "", _("Nothing was changed.")] if dry_run else lines)

    def suggest(self, options: dict[str, Any]) -> Outcome:
        """Suggest a mapping, and say how to publish it."""
        file = find_file(options["file_id"])
        services.suggest_for_file(file)
        error = hindrance(file)
        failure = console_error(error) if error else None
        document = {"file_id": file.pk, **file.suggestion, "hindrance": failure.document if failure else None}
        return Outcome(document, [*_suggestion_lines(file.suggestion), "", *_next_step(file, failure)])

    def publish_suggestion(self, options: dict[str, Any]) -> Outcome:
        """Publish what was suggested for a file."""
        actor = find_user(options["user"])
        return _listing([services.publish_suggestion(find_file(options["file_id"]), actor=actor, sight=EVERYTHING)])

    def validate(self, options: dict[str, Any]) -> Outcome:
        """Check every file; one that is wrong does not hide the others."""
        results = [_validated(path) for path in options["paths"]]
        wrong = any(result["error"] for result in results)
        rows = [(result["path"], result["templates"], result["error"] or _("valid")) for result in results]
        lines = [f"{path}: {verdict}" + (f" ({count})" if count else "") for path, count, verdict in rows]
        return Outcome(results, lines, Exit.REFUSED if wrong else Exit.OK)

    def list(self, options: dict[str, Any]) -> Outcome:
        """List the templates."""
        require_platform(options["platform"])
        conditions = {"platform_id": "platform", "domain": "domain", "state": "state"}
        rows = HeaderTemplate.objects.annotate(column_count=Count("columns"))
        rows = rows.filter(**{field: options[name] for field, name in conditions.items() if options[name]})
        return _listing(list(rows))

    def export(self, options: dict[str, Any]) -> Outcome:
        """Write one template as a data file."""
        row = find_template(options["template_id"])
        _name, text = exported(row)
        path: Path | None = options["output"]
        if path is None:
            return Outcome({"template_id": row.pk, "name": str(row), "text": text}, [text.rstrip("\n")])
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InvalidRequest(detail=f"{path}: {error.strerror}") from error
        return Outcome({"template_id": row.pk, "name": str(row), "path": str(path)}, [str(path)])


def _listing(rows: list[HeaderTemplate]) -> Outcome:
    """Templates as a table."""
    document = [
        {
            "id": row.pk,
            "name": str(row),
            "state": row.state,
            "origin": row.origin,
            "header_row": row.header_row,
            "columns": getattr(row, "column_count", None) or row.columns.count(),
        }
        for row in rows
    ]
    if not document:
        return Outcome([], [_("No template. Load those that come along: “manage.py templates load”.")])
    headers = ("id", _("template"), _("state"), _("origin"), _("header row"), _("columns"))
    return Outcome(document, table(headers, (tuple(entry.values()) for entry in document)))


def _validated(path: Path) -> dict[str, Any]:
    """Whether one file is right, and how many templates it holds."""
    try:
        templates = services.validate_file(path)
    except SyncError as error:
        failure = console_error(error)
        assert isinstance(failure, ConsoleError)  # noqa: S101 - every SyncError is expected
        return {"path": str(path), "templates": 0, "error": failure.message}
    return {"path": str(path), "templates": len(templates), "error": ""}


def _suggestion_lines(suggestion: dict[str, Any]) -> list[str]:
    """A suggestion column by column."""
    rows = (
        (column["header"], column["field"] or "–", column["kind"], f"{column['confidence']:.0%}", column["reason"])
        for column in suggestion["columns"]
    )
    lines = list(table((_("header"), _("field"), _("kind"), _("confidence"), _("reason")), rows))
    return [*lines, "", *suggestion["notes"]] if suggestion["notes"] else lines


def _next_step(file: CatalogFile, hindrance: ConsoleError | None) -> list[str]:
    """What to do with a suggestion."""
    if hindrance is None:
        return [_("Publish it: manage.py templates publish-suggestion %(id)s") % {"id": file.pk}]
    return [_("It cannot be published yet: %(why)s") % {"why": hindrance.message}, hindrance.recovery]
