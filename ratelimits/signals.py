"""What other rooms may hear of: a request that a limit refused."""

from django.dispatch import Signal

# Sent by the middleware (the sender is its class) before the 429 goes out, with
#   request: HttpRequest, key: str ("user:7", "ip:10.0.0.1"), scope: str, tier: str, path: str, limit: int (a minute).
# A receiver that fails is logged and costs the caller nothing but its time. It must not write for each request.
refused = Signal()
