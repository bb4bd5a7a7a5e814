"""Parameters that many calls take, described once; a call that describes its own keeps its words."""

from __future__ import annotations

from typing import Any

_DESCRIBED: dict[str, tuple[str, Any]] = {
    "task_id": ("The id that the submit was answered with.", "single_file_17_0a1b2c3d"),
    "celery_task_id": ("The other id that the submit was answered with.", "0f8fad5b-d9cb-469f-a165-70867728950e"),
    "file_id": ("A file of the catalogue.", 17),
    "export_id": ("An archive that was asked for.", 4),
    "template_id": ("A version of a template.", 8),
    "row_id": ("A quarantined row.", 311),
    "user_id": ("A person.", 3),
    "rule_id": ("A rate rule.", 4),
    "token_id": ("A token, as the list of one's own names it.", 5),
    "domain": ("Which table: one of the domains.", "orders"),
    "record_key": ("The row's key, as the list shows it.", "1f0b2c6e-7d8a-4c55-9e3b-0a1b2c3d4e5f"),
    "platform": ("The platform's code.", "shopee"),
    "source_platform": ("The code of the platform or tool that wrote the files.", "shopee"),
    "component": ("The component's exact name.", "collector"),
    "variant": ("The variant's exact name.", "with tax"),
    "fields": ("Only these columns, separated by commas.", "order_id,paid_amount"),
    "collected_since": ("Collected then or later.", "2026-03-06T05:16:50Z"),
    "created_from": ("Submitted then or later.", "2026-03-01T00:00:00Z"),
}
_OF_THE_ADDRESS = {
    "integer": {"minimum": 0},
    "string": {"pattern": "^[-a-zA-Z0-9_]+$", "minLength": 1},
}


def describe(parameter: dict[str, Any]) -> None:
    """Say what the call left unsaid: what the parameter is, an example, and what an address can hold."""
    description, example = _DESCRIBED.get(parameter["name"], ("", None))
    if not parameter.get("description") and description:
        parameter["description"] = description
        parameter["example"] = example
    if parameter["in"] == "path":
        schema = parameter["schema"]
        parameter["schema"] = _OF_THE_ADDRESS[schema["type"]] | schema
