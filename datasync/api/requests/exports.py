"""What the calls about archives take."""

from __future__ import annotations

from rest_framework import serializers

from datasync.api.requests.files import ChosenFiles
from datasync.choices import ExportKind
from erp.api.serializers import QuerySerializer

_LONGEST_TOKEN = 500


class NewExport(ChosenFiles):
    """Ask for an archive."""

    what = serializers.ChoiceField(
        ExportKind.choices,
        help_text="`originals`: the files; `cleaned`: their rows as CSV; `quarantine`: rows with their reasons.",
    )


class DownloadQuery(QuerySerializer):
    """The query of a download link."""

    token = serializers.CharField(max_length=_LONGEST_TOKEN, help_text="As `download_url` has it.")
