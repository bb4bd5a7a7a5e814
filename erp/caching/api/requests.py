"""What the calls take."""

from __future__ import annotations

from erp.api.serializers import StrictSerializer, StrictText


class WhatToClear(StrictSerializer):
    """What to make outdated."""

    tag = StrictText(
        max_length=60, required=False, help_text="One of the tags that the status names; without one everything."
    )
