"""Every address of the web process."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("health/", include("erp.health.urls")),
    path("api/", include("erp.api.urls")),
    path("api/data-sync/", include("datasync.api.urls")),
    path("admin/", admin.site.urls),
]
handler400 = "erp.api.fallback.bad_request"
handler404 = "erp.api.fallback.not_found"
handler500 = "erp.api.fallback.server_error"
