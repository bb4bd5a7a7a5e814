"""Actions of the command ``templates`` on versions: look, compare, draft, import, publish, archive, look again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from datasync.access import EVERYTHING
from datasync.catalog.again import look_again
from datasync.choices import DomainChoice
from datasync.exceptions import InvalidRequest
from datasync.management.arguments import file_id, find_file, find_user, require_platform
from datasync.management.base import Outcome
from datasync.management.progress import Counter, add_progress_option, progress_wanted
from datasync.management.tables import facts, table
from datasync.mapping import services
from datasync.mapping.compare import compare_templates, compare_with_file
from datasync.mapping.document import to_document
from datasync.mapping.loading import Imported
from datasync.mapping.publishing import Publishing
from datasync.mapping.rematch import Rechecked
from datasync.mapping.store import to_template
from datasync.mapping.template import Template
from datasync.mapping.template_file import load_templates
from datasync.mapping.versions import find_template
from datasync.models import HeaderTemplate

AddAction = Callable[[str, Callable[[dict[str, Any]], Outcome], str], CommandParser]


def add_version_actions(add_action: AddAction) -> None:
    """Declare the actions of this module."""
    _of_template(add_action("show", show, _("show a template and its columns")))
    compared = add_action("compare", compare, _("compare a template with another, or with a file"))
    _of_template(compared)
    compared.add_argument("other_id", type=file_id, nargs="?", help=_("id of another template"))
    compared.add_argument("--file", type=file_id, metavar="FILE", help=_("id of a file to compare with"))
    drafted = add_action("new-version", new_version, _("copy a template as a draft of the next version"))
    _of_template(drafted)
    _of_user(drafted)
    imported = add_action("import", import_files, _("make a new version of each template of data files"))
    imported.add_argument("paths", nargs="+", type=Path, help=_("template files"))
    imported.add_argument("--publish", action="store_true", help=_("publish at once; else they become drafts"))
    for name, work, summary in (
        ("publish", publish, _("publish a draft; it replaces the published version of its variant")),
        ("archive", archive, _("take a template out of use; rows that were read with it stay")),
        ("delete", delete, _("throw a draft away")),
    ):
        parser = add_action(name, work, summary)
        _of_template(parser)
        _of_change(parser)
    _of_change(imported)
    again = add_action("recheck", recheck, _("let files that wait for a template look again"))
    again.add_argument("--platform", default="", help=_("only of this platform"))
    again.add_argument("--domain", choices=DomainChoice.values, default="", help=_("only of this domain"))
    again.add_argument("--dry-run", action="store_true", help=_("change nothing, say what would happen"))
    add_progress_option(again)


def show(options: dict[str, Any]) -> Outcome:
    """One template, whole."""
    row = find_template(options["template_id"])
    document: dict[str, Any] = {"id": row.pk, "name": str(row), "state": row.state, "origin": row.origin}
    document |= {"version": row.version} | to_document(to_template(row)) | {"notes": row.notes}
    told = ((name, _plain(value)) for name, value in document.items() if name != "columns")
    columns = (
        (str(column["position"]), column["header"], column["field"] or "–", column["kind"], column["required"],
         column["format"])
        for column in document["columns"]
    )  # fmt: skip
    headers = ("#", _("header"), _("field"), _("kind"), _("required"), _("format"))
    return Outcome(document, [*facts(told), "", *table(headers, columns)])


def compare(options: dict[str, Any]) -> Outcome:
    """In what two templates differ, or a template and a file."""
    if (options["other_id"] is None) == (options["file"] is None):
        raise InvalidRequest(detail=_("Name either another template or, with --file, a file."))
    before = find_template(options["template_id"])
    if options["file"] is None:
        document = compare_templates(before, find_template(options["other_id"])).as_dict()
    else:
        document = compare_with_file(before, find_file(options["file"])).as_dict()
    return Outcome(document, _comparison_lines(document))


def new_version(options: dict[str, Any]) -> Outcome:
    """Copy a template as a draft."""
    draft = services.copy_as_draft(options["template_id"], actor=find_user(options["user"]))
    return Outcome(_brief(draft), [_("Made draft %(id)s: %(name)s") % {"id": draft.pk, "name": draft}])


def import_files(options: dict[str, Any]) -> Outcome:
    """Make a new version of each template of some files, all or none."""
    templates: list[Template] = []
    for path in options["paths"]:
        templates += load_templates(path)
    imported = services.import_templates(
        templates,
        actor=find_user(options["user"]),
        sight=EVERYTHING,
        publish_now=options["publish"],
        dry_run=options["dry_run"],
    )
    document = {"dry_run": options["dry_run"], "templates": [_imported(one) for one in imported]}
    rows = ((one.name, str(one.action), one.row.pk if one.row else None) for one in imported)
    return Outcome(document, table((_("template"), _("what"), "id"), rows))


def publish(options: dict[str, Any]) -> Outcome:
    """Publish a draft, or say what that would do."""
    template_id, actor = options["template_id"], find_user(options["user"])
    if options["dry_run"]:
        done: Publishing = services.publishing_of(template_id, sight=EVERYTHING)
    else:
        done = services.publish_draft(template_id, actor=actor, sight=EVERYTHING)
    archived = [_brief(row) for row in done.archived]
    document = {"dry_run": options["dry_run"], "template": _brief(done.template), "archived": archived}
    document |= {"files": done.files, "losing": done.losing, "deferred": done.deferred}
    told = (
        (_("template"), str(done.template)),
        (_("archived"), ", ".join(str(row) for row in done.archived) or "–"),
        (_("files not synced yet that get it"), done.files),
        (_("files not synced yet that lose their template"), done.losing),
        (_("files that a worker looks at afterwards"), done.deferred),
    )
    return Outcome(document, [*facts(told), *_nothing_changed(options)])


def archive(options: dict[str, Any]) -> Outcome:
    """Take a template out of use, or say what that would do."""
    template_id, actor = options["template_id"], find_user(options["user"])
    if options["dry_run"]:
        done = services.archiving_of(template_id, sight=EVERYTHING)
    else:
        done = services.archive_template(template_id, actor=actor, sight=EVERYTHING)
    counts = {"pending_files": done.pending_files, "rematched": done.rematched, "deferred": done.deferred}
    counts["other_variants"] = done.other_variants
    document = {"dry_run": options["dry_run"], "template": _brief(done.template)} | counts
    told = (
        (_("template"), str(done.template)),
        (_("files not synced yet that lose it"), done.pending_files),
        (_("of them: get another template that fits"), done.rematched),
        (_("files that a worker looks at afterwards"), done.deferred),
        (_("published templates left in its family"), done.other_variants),
    )
    return Outcome(document, [*facts(told), *_nothing_changed(options)])


def delete(options: dict[str, Any]) -> Outcome:
    """Throw a draft away, or say which that would be."""
    row = find_template(options["template_id"])
    if options["dry_run"]:
        services.require_draft(row)
    else:
        services.delete_draft(row.pk, actor=find_user(options["user"]))
    document = {"dry_run": options["dry_run"], "template": _brief(row)}
    return Outcome(document, [*facts([(_("template"), str(row))]), *_nothing_changed(options)])


def recheck(options: dict[str, Any]) -> Outcome:
    """Let waiting files look again, as many as there are."""
    require_platform(options["platform"])
    files = services.waiting_files(platform=options["platform"], domain=options["domain"])
    counter, total = Counter(unit=_("files"), shown=progress_wanted(options)), files.count()
    try:
        result = services.recheck(
            files, dry_run=options["dry_run"], look=look_again, progress=lambda done: counter.reached(done, total)
        )
    finally:
        counter.close()
    return rechecked(result, dry_run=options["dry_run"])


def rechecked(result: Rechecked, *, dry_run: bool) -> Outcome:
    """What a second look came to."""
    document = {"dry_run": dry_run, **asdict(result)}
    told = (
        (_("looked at"), result.looked_at),
        (_("can be synced"), result.pending),
        (_("still need a description"), result.needs_description),
        (_("no template fits"), result.still_waiting),
        (_("not read: the header may stand elsewhere"), result.unread),
        (_("no longer there"), result.gone),
    )
    rows = [(str(one.file_id), one.name, one.template) for one in result.files]
    listed = ["", *table(("id", _("file"), _("template")), rows)] if rows else []
    return Outcome(document, [*facts(told), *listed, *_nothing_changed({"dry_run": dry_run})])


def _of_template(parser: CommandParser) -> None:
    parser.add_argument("template_id", type=file_id, help=_("id of the template, see “list”"))


def _of_user(parser: CommandParser) -> None:
    parser.add_argument("--user", help=_("in whose name"))


def _of_change(parser: CommandParser) -> None:
    _of_user(parser)
    parser.add_argument("--dry-run", action="store_true", help=_("change nothing, say what would happen"))


def _brief(row: HeaderTemplate) -> dict[str, Any]:
    return {"id": row.pk, "name": str(row), "state": str(row.state), "version": row.version}


def _imported(one: Imported) -> dict[str, Any]:
    return {"name": one.name, "action": str(one.action), "id": one.row.pk if one.row else None}


def _nothing_changed(options: dict[str, Any]) -> list[str]:
    return ["", _("Nothing was changed.")] if options["dry_run"] else []


def _plain(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, list) else value


def _comparison_lines(document: dict[str, Any]) -> Iterable[str]:
    """A comparison for people: the verdict, then whatever differs."""
    yield from facts(
        (
            (_("before"), document["before"]),
            (_("after"), document["after"]),
            (_("a sync would find it"), document["verdict"]),
            (_("match rate"), f"{document['match_rate']:.1%}"),
        )
    )
    found = document["differences"]
    rows = [(name, _pair(entry)) for name, entries in found.items() if name != "contradictions" for entry in entries]
    rows += [(_("contradiction"), f"{one['header']}: {one['reason']}") for one in found["contradictions"]]
    rows += [(one["name"], f"{_shown(one['before'])} → {_shown(one['after'])}") for one in document["settings"]]
    for column in document["columns"]:
        changes = (f"{one['name']} {_shown(one['before'])} → {_shown(one['after'])}" for one in column["changes"])
        rows.append((_("column"), f"{column['header']}: {', '.join(changes)}"))
    if rows:
        yield ""
        yield from table((_("difference"), _("what")), rows)


def _pair(entry: Any) -> str:
    return " → ".join(entry) if isinstance(entry, list) else str(entry)


def _shown(value: Any) -> str:
    return "–" if value in (None, "", []) else str(_plain(value))
