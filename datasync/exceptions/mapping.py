"""What can go wrong between a file's header and its template, and with the versions of templates."""

from __future__ import annotations

from datasync.exceptions.base import NotFound, SyncError


class TemplateError(SyncError):
    """The file does not fit its header template."""

    code = "TEMPLATE_ERROR"
    recovery = "Publish a new version of the template, then sync again."


class HeaderChanged(TemplateError):
    """The file's header no longer fits its template: missing %(missing)s."""

    code = "HEADER_CHANGED"


class KeyColumnMissing(TemplateError):
    """The header lacks a column that identifies a row: %(missing)s."""

    code = "KEY_COLUMN_MISSING"


class NoTemplate(TemplateError):
    """No published header template fits this file."""

    code = "NO_TEMPLATE"
    recovery = "Review the suggested mapping and publish it, or sync with only_with_template=false."


class TemplateReplaced(TemplateError):
    """Another template than %(template)s is in use for this file by now."""

    code = "TEMPLATE_REPLACED"
    recovery = "Start a remap of the template that is in use now."


class UnsureMapping(TemplateError):
    """No template fits, and the suggested mapping is not sure enough of what identifies a row."""

    code = "UNSURE_MAPPING"
    recovery = "Review the suggested mapping and publish it."


class TemplateNotFound(NotFound):
    """There is no such header template: %(what)s."""

    code = "TEMPLATE_NOT_FOUND"
    recovery = "List the templates; each version has an id of its own."


class TemplateNotDraft(SyncError):
    """The template %(name)s is %(state)s, and only a draft can be changed, deleted or published."""

    code = "TEMPLATE_NOT_DRAFT"
    recovery = "Make a new version of it: a copy as a draft, to be changed and published."


class TemplateOutdated(SyncError):
    """The draft %(name)s is older than %(newer)s, which is in use."""

    code = "TEMPLATE_OUTDATED"
    recovery = "Make a new version of the one that is in use, change that, and publish it."


class TemplateNotInUse(SyncError):
    """The template %(name)s is %(state)s, and only the rows of one that is in use can be typed again."""

    code = "TEMPLATE_NOT_IN_USE"
    recovery = "Publish it first, or remap the version that is published."


class HeaderUnknown(SyncError):
    """The catalogue knows no header of file %(what)s, so that it cannot be compared with a template."""

    code = "HEADER_UNKNOWN"
    recovery = "Look at the file's last error, put the file right, and scan again."
