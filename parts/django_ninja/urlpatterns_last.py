    path("", api.urls),
