"""What can go wrong in this room. What a submit is refused with is ``datasync.exceptions.CreditsExhausted``."""

from __future__ import annotations

from datasync.exceptions import IdempotencyConflict, InvalidRequest


class CreditKeyTaken(IdempotencyConflict):
    """The key %(key)s was used before for another entry."""

    code = "CREDIT_KEY_TAKEN"
    recovery = "Name each grant anew, and give the same name only to repeat one."


class AmountOutOfRange(InvalidRequest):
    """The amount must be a whole number of credits between %(least)s and %(most)s."""


class ExpiryPassed(InvalidRequest):
    """Credits cannot expire in the past."""


class NotSuchText(InvalidRequest):
    """The %(name)s must have between %(least)s and %(most)s characters, and none of them NUL."""


class LedgerIsAppendOnly(TypeError):
    """An entry of the ledger never changes and never goes; what was wrong is put right by another entry."""
