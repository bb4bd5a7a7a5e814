"""``{% next_steps as steps %}``: what waits for whoever looks at the start page."""

from __future__ import annotations

from typing import Any

from django import template

from datasync.admin.next_steps import Step, next_steps

register = template.Library()


@register.simple_tag(takes_context=True, name="next_steps")
def next_steps_tag(context: dict[str, Any]) -> list[Step]:
    """The steps of the person who is signed in."""
    return next_steps(context["request"].user)
