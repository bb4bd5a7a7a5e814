"""What a limited person does about quarantined rows reaches those in sight, whatever the filter says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from datasync.access import EVERYTHING, Sight
from datasync.choices import QuarantineState
from datasync.exceptions import RowNotFound
from datasync.models import QuarantinedRow
from datasync.quarantine import export, selectors, services
from tests.access_support import API, Belongings, client, foreign, limited, mine, other, own
from tests.api import client_of, data_of, error_of, person
from tests.quarantine_rows import make_file, make_row

__all__ = ["client", "foreign", "limited", "mine", "other", "own"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("foreign")]
ALL = {"filter": {"state": "open"}}


def act(client: APIClient, name: str, **body: Any) -> dict[str, Any]:
    told: dict[str, Any] = data_of(client.post(f"{API}/quarantine/{name}", ALL | body, format="json"))
    return told


def test_a_filter_reaches_what_is_in_sight(client: APIClient, own: Belongings, foreign: Belongings) -> None:
    assert act(client, "correct", header="Amount", replacement="12")["corrected"] == 1
    assert act(client, "discard", note="broken")["discarded"] == 0  # corrected rows are not open any more
    foreign.row.refresh_from_db()
    own.row.refresh_from_db()
    assert (own.row.state, foreign.row.state) == (QuarantineState.CORRECTED, QuarantineState.OPEN)
    assert act(client_of(person("free")), "discard", note="broken")["discarded"] == 1


def test_ids_out_of_sight_are_missing(client: APIClient, own: Belongings, foreign: Belongings) -> None:
    body = {"ids": [own.row.pk, foreign.row.pk], "note": "broken"}
    told = data_of(client.post(f"{API}/quarantine/discard", body, format="json"))
    assert (told["discarded"], told["missing_ids"]) == (1, [foreign.row.pk])


def test_rows_are_confirmed_in_sight(own: Belongings, foreign: Belongings, limited: User) -> None:
    sight = Sight.of(limited)
    with pytest.raises(RowNotFound):
        services.confirm_many(filters=selectors.Filters(ids=[foreign.row.pk]), actor=limited, sight=sight)
    told = services.confirm_many(filters=selectors.Filters(), actor=limited, sight=sight)
    assert told.unchanged == 1


def test_an_imported_sheet_corrects_rows_in_sight(
    client: APIClient, own: Belongings, foreign: Belongings, tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    export.write(selectors.rows(sight=EVERYTHING), path, format="csv")
    sheet = path.read_text("utf-8-sig").replace("twelve,", "12,", 2)

    def send(**fields: Any) -> Any:
        body = {"file": SimpleUploadedFile("rows.csv", sheet.encode()), **fields}
        return client.post(f"{API}/quarantine/import", body, format="multipart")

    counts = data_of(send(dry_run="true"))["counts"]
    assert (counts["corrected"], counts["unknown_id"]) == (1, 1)
    assert error_of(send(), 422)["code"] == "CORRECTIONS_REFUSED"
    assert not QuarantinedRow.objects.exclude(state=QuarantineState.OPEN).exists()


def test_rows_of_an_own_upload_wait_for_its_shop(client: APIClient, limited: User) -> None:
    """Each of them would go to the shop that it names."""
    file = make_file("uploaded.csv", shop=None, uploaded_by=limited)
    row = make_row(file, 3, "A3", "12", "")
    body = {"ids": [row.pk]}
    error = error_of(client.post(f"{API}/quarantine/release", body, format="json"), 422)
    assert (error["code"], error["params"]["missing"]) == ("NEEDS_DESCRIPTION", "shop")
    row.refresh_from_db()
    assert row.state == QuarantineState.OPEN


def test_a_file_that_leaves_the_shop_meanwhile_is_left_alone(own: Belongings, other: Any, limited: User) -> None:
    sight, file_id = Sight.of(limited), own.file.pk
    rows = selectors.present_rows(sight=sight)
    assert rows.filter(file=file_id).exists()
    own.file.shop = other
    own.file.save()
    assert not selectors.present_rows(sight=sight).filter(file=file_id).exists()
    with pytest.raises(RowNotFound):
        services.correct(row_id=own.row.pk, given={"Amount": "12"}, actor=limited, sight=sight)
