"""What the operators' pages share: badges, read-only history, empty lists that say what to do, each one's sight."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, cast

from django.contrib.auth.models import AbstractBaseUser
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import lazy
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.admin.sight import WithinSight, sight_of
from datasync.runs.words import error_in_words, remark_in_words
from erp.pages import part_of

STYLE = {"all": ("datasync/admin.css",)}
NOTHING = "–"
_OUT_OF_SIGHT = gettext_lazy("There is nothing here of the shops that you are limited to.")


def badge(label: object, colour: str) -> SafeString:
    """A state, coloured; the word is what counts, so that it can be read without colours."""
    return format_html('<span class="badge badge-{}">{}</span>', colour, label)


def state_badge(instance: Any, colours: Mapping[Any, str]) -> SafeString:
    """The state of a row with choices, in the colour that its choices give it."""
    return badge(instance.get_state_display(), colours[instance.state])


def link(instance: Model | None, text: object = None) -> SafeString | str:
    """A link to the page of a row; a dash where there is none."""
    if instance is None:
        return NOTHING
    meta = instance._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=(instance.pk,))
    return format_html('<a href="{}">{}</a>', address, instance if text is None else text)


def template_name(template: Model | None) -> SafeString | str:
    """The name of a template, with places where a narrow column may break it."""
    return (
        format_html_join(mark_safe("/<wbr>"), "{}", ((part,) for part in str(template).split("/")))
        if template
        else NOTHING
    )


def short_name(file: Any) -> SafeString:
    """A file's name, cut where it is long; the whole of it is read when pointing at it."""
    return format_html('<span class="short-name" title="{0}">{0}</span>', file.original_name)


def list_link(model: type[Model], text: object, **filters: object) -> SafeString:
    """A link to the list of a model, filtered."""
    meta = model._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist", query=filters)
    return format_html('<a href="{}">{}</a>', address, text)


def pairs_table(pairs: Iterable[tuple[object, object]]) -> SafeString | str:
    """A table of two columns: name and value."""
    rows = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", pairs)
    return format_html('<div class="wide"><table class="pairs">{}</table></div>', rows) if rows else NOTHING


def grid(headers: Sequence[object], rows: Iterable[Sequence[object]]) -> SafeString | str:
    """A table with a header."""
    body = format_html_join(
        "", "<tr>{}</tr>", ((format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows)
    )
    if not body:
        return NOTHING
    head = format_html_join("", "<th>{}</th>", ((header,) for header in headers))
    table = '<div class="wide"><table class="pairs"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    return format_html(table, head, body)


def progress_bar(done: int, total: int) -> SafeString:
    """How far something is: a bar and the figures."""
    return format_html('<progress value="{}" max="{}"></progress> {} / {}', done, max(total, 1), done, total)


def error_text(error: Mapping[str, Any] | None) -> SafeString | str:
    """A stored error, in the reader's language: its code, what happened and what to do."""
    if not error:
        return NOTHING
    told = error_in_words(error)
    return format_html(
        '<strong>{}</strong> {} <span class="help">{}</span>', told["code"], told["message"], told["recovery"]
    )


def remark_text(remark: Mapping[str, Any]) -> str:
    """A stored warning, in the reader's language."""
    told = remark_in_words(remark)
    return str(told.get("message") or told.get("code", ""))


def text_when_shown(make: Callable[[], str]) -> str:
    """A text with figures in it for the body of a class, made in the reader's language each time it is shown."""
    return lazy(make, str)()


def operator(request: HttpRequest) -> AbstractBaseUser:
    """Who is at work; the admin lets nobody else in."""
    return cast("AbstractBaseUser", request.user)


class PartPaginator(Paginator[Any]):
    """Reads the rows of a page, not those before it."""

    def page(self, number: int | str) -> Page[Any]:
        """The page with that number; an invalid one is refused as by Django."""
        number = self.validate_number(number)
        rows = cast("QuerySet[Model]", self.object_list)
        return Page(part_of(rows, of=self.count, page=number, size=self.per_page), number, self)


class OperatorAdmin(WithinSight):
    """A page within the sight of whoever looks, whose empty list says what to do next."""

    list_per_page = 50
    paginator: ClassVar[type[Paginator[Any]]] = PartPaginator
    show_full_result_count = False
    empty_hint: ClassVar[Any] = ""
    change_list_template = "admin/datasync/change_list.html"

    class Media:
        css = STYLE

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, or what to do when there is nothing to show."""
        hint = _OUT_OF_SIGHT if sight_of(request).limited else self.empty_hint
        context = {"empty_hint": hint, **(extra_context or {})}
        return super().changelist_view(request, context)


class HistoryAdmin(OperatorAdmin):
    """Rows that are history: everybody looks, nobody changes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """History is written by the product alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """History does not change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """History stays."""
        return False


def filled(label: str, count: int) -> str:
    """``label: count`` where there is something to count."""
    return f"{label} {count:,}" if count else ""


def row_counts(instance: Any) -> str:
    """The books of a task or one of its files, without what is zero."""
    counted = (
        filled(_("read"), instance.rows_read),
        filled(_("inserted"), instance.rows_inserted),
        filled(_("updated"), instance.rows_updated),
        filled(_("unchanged"), instance.rows_unchanged),
        filled(_("stale"), instance.rows_stale),
        filled(_("quarantined"), instance.rows_quarantined),
        filled(_("totals"), instance.rows_totals),
        filled(_("duplicates"), instance.rows_duplicates),
    )
    return ", ".join(part for part in counted if part) or NOTHING
