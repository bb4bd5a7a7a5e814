"""Why a row cannot be trusted, as operators read it: the code, which the API and the commands speak, and its words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from datasync.reasons import Reason

_WORDS = {
    Reason.REQUIRED_MISSING: _("a required cell is empty"),
    Reason.KEY_MISSING: _("what identifies the row is missing"),
    Reason.INVALID_NUMBER: _("not a number"),
    Reason.INVALID_INTEGER: _("not a whole number"),
    Reason.INVALID_PERCENT: _("not a percentage"),
    Reason.INVALID_DATE: _("not a date"),
    Reason.AMBIGUOUS_DATE: _("a date that can be read in two ways"),
    Reason.NONEXISTENT_TIME: _("a time that the clocks jumped over"),
    Reason.DATE_OUT_OF_RANGE: _("a date out of range"),
    Reason.INVALID_DURATION: _("not a duration"),
    Reason.INVALID_CURRENCY: _("not a currency"),
    Reason.NUMBER_OUT_OF_RANGE: _("a number out of range"),
    Reason.PRECISION_LOST: _("digits lost by a spreadsheet"),
    Reason.FORMULA_WITHOUT_VALUE: _("a formula without a value"),
    Reason.CELL_ERROR: _("an error of the spreadsheet"),
    Reason.INVALID_CHARACTER: _("a character that cannot be stored"),
    Reason.UNDECODABLE_BYTES: _("text that cannot be decoded"),
    Reason.FIELD_TOO_LONG: _("too long"),
    Reason.WRONG_COLUMN_COUNT: _("too many or too few cells"),
    Reason.UNKNOWN_SHOP: _("a shop that is not known"),
    Reason.SHOP_MISMATCH: _("another shop than the file's"),
    Reason.IDENTITY_CHANGED: _("the new template makes it another row"),
}


def reason_in_words(code: str) -> str:
    """``CODE: what it means``; the code alone where it is not known any more."""
    return f"{code}: {_WORDS[Reason(code)]}" if code in _WORDS else code
