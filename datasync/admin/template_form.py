"""The form of a draft: what is wrong is told at its field, and the draft is written by the same calls as elsewhere."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from datasync.choices import TemplateState
from datasync.exceptions import KeyColumnMissing
from datasync.fields import FIELDS, Kind
from datasync.mapping.store import to_column, to_template
from datasync.mapping.template import Template, missing_identity, template_problems
from datasync.models import HeaderTemplate, TemplateColumn

FAMILY = ("platform", "source_platform", "domain", "sub_domain", "granularity", "variant")
READING = (
    "header_row", "header_rows", "data_row", "sheet", "number_format", "identity", "ordinal", "totals_on_every_line",
)  # fmt: skip


class TextList(forms.JSONField):
    """A list of texts, written as JSON."""

    def to_python(self, value: Any) -> Any:
        """The list; anything else is refused."""
        given = super().to_python(value)
        if given is not None and not (isinstance(given, list) and all(isinstance(one, str) for one in given)):
            raise ValidationError(_("Write a list of texts, such as [“order_id”, “sku”] in straight quotes."))
        return given


class TemplateForm(forms.ModelForm[Any]):
    """The family and the settings of a draft; of what is published only the notes."""

    identity = TextList(label=_("identity fields"), help_text='["order_id", "sku"]')

    class Meta:
        model = HeaderTemplate
        fields = (*FAMILY, *READING, "notes")

    def clean_variant(self) -> str:
        """A variant without a name is the default one."""
        return self.cleaned_data["variant"] or "default"

    def clean(self) -> dict[str, Any] | None:
        """What can be judged without the columns."""
        cleaned = super().clean()
        names = (*FAMILY, *READING)
        if cleaned is None or any(name not in cleaned for name in names):
            return cleaned
        template = to_template(HeaderTemplate(**{name: cleaned[name] for name in names}), columns=())
        for problem in template_problems(template):
            if problem.setting:
                self.add_error(problem.setting, problem.text)
        return cleaned


class ColumnForm(forms.ModelForm[Any]):
    """A column, its field and kind chosen from what there is."""

    header = forms.CharField(label=_("header"), max_length=500, required=False, strip=False)
    kind = forms.ChoiceField(label=_("kind"), choices=[(kind.value, kind.value) for kind in Kind])
    aliases = TextList(label=_("other wordings"), required=False)
    field = forms.ChoiceField(
        label=_("standard field"),
        required=False,
        choices=[
            ("", _("kept in the original row only")),
            *((domain.value, [(name, name) for name in fields]) for domain, fields in FIELDS.items()),
        ],
    )

    class Meta:
        model = TemplateColumn
        fields = ("position", "header", "field", "kind", "format", "required", "aliases")

    def clean_aliases(self) -> list[str]:
        """None is an empty list."""
        return self.cleaned_data["aliases"] or []


class ColumnFormSet(forms.BaseInlineFormSet[Any, Any, Any]):
    """The columns in the order of their positions, which are numbered anew; ``template`` is the whole, once checked."""

    template: Template | None = None

    def clean(self) -> None:
        """Judge the template as a whole, and tell what is wrong at its column."""
        super().clean()
        if any(self.errors) or not is_draft(self.instance):
            return
        kept = [form for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        kept.sort(key=lambda form: form.cleaned_data["position"])
        columns = [to_column(form.instance, position=position) for position, form in enumerate(kept)]
        try:
            template = to_template(self.instance, columns=columns)
        except ValueError:  # the form of the template tells what is wrong there
            return
        problems, general = list(template_problems(template)), []
        for problem in problems:
            if problem.column is not None:
                kept[problem.column].add_error(problem.setting, problem.text)
            elif not problem.setting:
                general.append(problem.text)
        if not problems and template.identity and (missing := missing_identity(template)):
            error = KeyColumnMissing(missing=", ".join(missing))
            general.append(gettext(error.template) % error.params)
        if general:
            raise ValidationError(general)
        self.template = template


class ColumnInline(admin.TabularInline[Any, Any]):
    """The columns: whoever may change a template may change them, as long as it is a draft."""

    model = TemplateColumn
    form = ColumnForm
    formset = ColumnFormSet
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever sees the template sees them."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft gets columns."""
        return is_draft(obj) and _may_write(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft's columns change."""
        return is_draft(obj) and _may_write(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft loses columns."""
        return is_draft(obj) and _may_write(request)


def is_draft(template: Any) -> bool:
    """Whether it can be changed; what is not made yet can."""
    return template is None or template.state == TemplateState.DRAFT


def _may_write(request: HttpRequest) -> bool:
    return any(request.user.has_perm(f"datasync.{act}_headertemplate") for act in ("add", "change"))
