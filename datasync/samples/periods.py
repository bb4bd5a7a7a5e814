"""The days, weeks and months that the set covers, counted back from one day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from datasync.samples.truth import Period

DEFAULT_TODAY = date(2026, 2, 2)


@dataclass(frozen=True, slots=True)
class Calendar:
    """All exports were taken on ``today`` or before."""

    today: date = DEFAULT_TODAY

    @property
    def month(self) -> Period:
        """The last full month."""
        last = self.today.replace(day=1) - timedelta(days=1)
        return Period(last.replace(day=1), last)

    @property
    def month_before(self) -> Period:
        """The month before the last full one."""
        last = self.month.first - timedelta(days=1)
        return Period(last.replace(day=1), last)

    @property
    def week(self) -> Period:
        """Monday to Sunday, the last full week."""
        last = self.today - timedelta(days=self.today.weekday() + 1)
        return Period(last - timedelta(days=6), last)

    def day(self, number: int) -> Period:
        """The ``number``-th day of the last full month."""
        day = self.month.first + timedelta(days=number - 1)
        return Period(day, day)

    def month_to(self, number: int) -> Period:
        """The last full month up to its ``number``-th day, as an export taken back then covers it."""
        return Period(self.month.first, self.day(number).last)
