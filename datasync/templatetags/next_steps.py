"""``{% next_steps as steps %}``: what waits for whoever looks at the start page, and the shops that they see."""

from __future__ import annotations

from typing import Any

from django import template

from datasync.admin.next_steps import Step, next_steps, shops_in_sight

register = template.Library()


@register.simple_tag(takes_context=True, name="next_steps")
def next_steps_tag(context: dict[str, Any]) -> list[Step]:
    """The steps of the person who is signed in."""
    return next_steps(context["request"].user)


@register.simple_tag(takes_context=True, name="shops_in_sight")
def shops_in_sight_tag(context: dict[str, Any]) -> str:
    """The shops that the person who is signed in is limited to, in words."""
    return shops_in_sight(context["request"].user)
