"""What a sync of a file would do, without doing it."""

from __future__ import annotations

from django.conf import settings
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight
from datasync.api.examples.dry_run import DRY_RUN
from datasync.api.requests.dry_run import DryRunOptions
from datasync.api.serializers.dry_run import DryRunResult
from datasync.catalog.dry_run import dry_run
from datasync.exceptions import FileNotFound, TooLargeToRehearse
from erp.api.authentication import person_of
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import validated


class DryRunView(APIView):
    """``POST /api/data-sync/files/{id}/dry-run``"""

    @documented(
        name="rehearse_sync",
        summary="What a sync of the file would do at this moment; nothing is written",
        tag="files",
        answer=DryRunResult,
        example=DRY_RUN,
        body=DryRunOptions,
        body_example={"only_with_template": True, "allow_quarantine": True},
        errors=(FileNotFound, TooLargeToRehearse),
    )
    def post(self, request: Request, file_id: int) -> Answer:
        asked = validated(DryRunOptions, request.data)
        found = dry_run(
            file_id=file_id,
            sight=Sight.of(person_of(request)),
            most_bytes=settings.DRY_RUN_MOST_BYTES,
            most_seconds=settings.DRY_RUN_SECONDS,
            **asked,
        )
        return Answer(DryRunResult(found).data)
