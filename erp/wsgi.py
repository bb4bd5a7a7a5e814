"""The web process."""

import gc
import os
import sys

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from erp.stopping import watch_for_stop

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "erp.settings")

application = get_wsgi_application()
_ = get_resolver().url_patterns  # loads all views, which else the first request of each process waits for

from datasync.runs.worker import prepare_web_process  # noqa: E402 - needs the applications
from ratelimits.events.recording import start_recording  # noqa: E402 - needs the applications

prepare_web_process()
start_recording()
watch_for_stop()
# A request waits for the database ten times; its thread gives the interpreter away each time, and needs it back soon.
sys.setswitchinterval(0.0005)
gc.collect()
gc.freeze()  # what is loaded by now stays; all requests of the process wait while it is looked through
