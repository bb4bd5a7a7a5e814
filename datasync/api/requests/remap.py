"""What a remap takes."""

from __future__ import annotations

from datasync.api.requests.sync import deadline_field
from datasync.runs.remap.preview import SAMPLE_ROWS
from erp.api.serializers import StrictBoolean, StrictInteger, StrictSerializer


class RemapOptions(StrictSerializer):
    """Type the stored rows of a template again."""

    dry_run = StrictBoolean(default=False, help_text="Only say what would happen, judged by a sample of the rows.")
    sample = StrictInteger(
        min_value=1, max_value=SAMPLE_ROWS, default=SAMPLE_ROWS, help_text="Rows that a dry run looks at, at most."
    )
    priority = StrictInteger(min_value=1, max_value=10, default=5, help_text="1 to 10; 10 goes first.")
    deadline_seconds = deadline_field(otherwise="as long as it takes")
