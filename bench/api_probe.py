"""``bench.probe`` with a door to the API: somebody who is never refused."""

from __future__ import annotations

from django.contrib.auth import get_user_model

from bench import probe
from erp.models import ApiToken
from ratelimits.limits.choices import MOST_PER_MINUTE
from ratelimits.models import RateRule


def sign_in() -> tuple[int, str]:
    """A person whose limits nobody reaches: their id and a token."""
    RateRule.objects.update(per_minute=MOST_PER_MINUTE)
    user = get_user_model().objects.create(username="bench")
    return user.pk, ApiToken.issue(user=user, label="bench")[1]


probe.DOORS.update({function.__name__: function for function in (sign_in,)})


if __name__ == "__main__":
    probe.main()
