"""Every address of the web process; those of the health probes are answered by ``erp.middleware`` before."""

from django.contrib import admin
from django.urls import include, path, reverse_lazy
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(url=reverse_lazy("admin:index"))),
    path("api/", include("erp.api.urls")),
    path("api/data-sync/", include("datasync.api.urls")),
    path("api/", include("datasync.api.collection_urls")),
    path("api/cache/", include("erp.caching.api.urls")),
    path("api/quota/", include("ratelimits.quotas.api.urls")),
    path("api/rate-limit/", include("ratelimits.api.urls")),
    path("api/credits/", include("ratelimits.credits.api.urls")),
    path("admin/", admin.site.urls),
]
handler400 = "erp.api.fallback.bad_request"
handler404 = "erp.api.fallback.not_found"
handler500 = "erp.api.fallback.server_error"
