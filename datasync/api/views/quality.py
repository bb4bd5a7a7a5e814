"""Where rows went, and where too many were lost. A task is shown to its owner and to staff."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight
from datasync.api.examples import quality as examples
from datasync.api.requests.quality import AlertQuery, LossQuery
from datasync.api.serializers.quality import LossAlerts, LossAnalysis
from datasync.catalog import selectors as catalog
from datasync.exceptions import FileNotFound, TaskNotFound
from datasync.quality.alerts import Subject, Watch
from datasync.quality.breakdown import parts, parts_with_flows
from datasync.quality.loss import Flow, Selection, flows, items_of
from datasync.runs import selectors as runs
from erp.api.authentication import person_of
from erp.api.pagination import paginate
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import validated


class LossAnalysisView(APIView):
    """``GET /api/data-sync/loss-analysis``"""

    @documented(
        name="loss_analysis",
        summary="Where the rows went, whole and file by file or domain by domain",
        tag="quality",
        answer=LossAnalysis,
        example=examples.ANALYSIS,
        paged=True,
        query=LossQuery,
        errors=(FileNotFound, TaskNotFound),
    )
    def get(self, request: Request) -> Answer:
        query = validated(LossQuery, request.query_params)
        selection = _selection(person_of(request), query)
        page = paginate(parts(selection), page=query["page"], page_size=query["page_size"])
        shown = [part.as_dict() for part in parts_with_flows(selection, page.rows)]
        whole = sum(flows(items_of(selection), by="file__domain").values(), Flow())
        return Answer(LossAnalysis({"flow": whole.as_dict(), "parts": shown}).data, page=page)


class LossAlertView(APIView):
    """``GET /api/data-sync/loss-alert``"""

    @documented(
        name="loss_alert",
        summary="Tasks, files or domains that lost more than a share of their rows",
        tag="quality",
        answer=LossAlerts,
        example=examples.ALERTS,
        paged=True,
        query=AlertQuery,
        errors=(FileNotFound, TaskNotFound),
    )
    def get(self, request: Request) -> Answer:
        query = validated(AlertQuery, request.query_params)
        person, subject = person_of(request), Subject(query["subject"])
        watch = Watch(
            threshold=query["threshold"],
            selection=_selection(person, query),
            tasks=runs.tasks_visible_to(person, sight=Sight.of(person)),
        )
        page = paginate(watch.above(subject), page=query["page"], page_size=query["page_size"])
        others = {other.value: watch.above(other).count() for other in Subject if other is not subject}
        found = {
            "threshold": watch.threshold,
            "above": {**others, subject.value: page.total},
            "alerts": [alert.as_dict() for alert in watch.alerts(subject, page.rows)],
        }
        return Answer(LossAlerts(found).data, page=page)


def _selection(person: User, query: Mapping[str, Any]) -> Selection:
    """Whose rows are asked for. Raises ``FileNotFound`` or ``TaskNotFound``."""
    sight = Sight.of(person)
    task = runs.task_for(person, query["task_id"], sight=sight) if "task_id" in query else None
    file_id = query.get("file_id")
    if file_id is not None and not catalog.files(sight=sight).filter(pk=file_id).exists():
        raise FileNotFound(what=file_id)
    return Selection(
        sight=sight,
        file_id=file_id,
        task_id=task.pk if task else None,
        domain=query.get("domain"),
        platform=query.get("platform"),
        shop=query.get("shop"),
    )
