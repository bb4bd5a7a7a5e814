"""What a dry run takes: the flags of the sync that it rehearses."""

from __future__ import annotations

from datasync.api.requests.sync import Flags
from erp.api.serializers import StrictBoolean


class DryRunOptions(Flags):
    """How the file would be treated."""

    use_template_header_row = StrictBoolean(default=True, help_text="Else the header row is looked for.")
