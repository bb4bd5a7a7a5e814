"""The web process."""

import os

from django.core.wsgi import get_wsgi_application

from erp.stopping import watch_for_stop

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "erp.settings")

application = get_wsgi_application()

from datasync.runs.worker import prepare_web_process  # noqa: E402 - needs the applications

prepare_web_process()
watch_for_stop()
