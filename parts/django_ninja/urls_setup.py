api.add_router("health", health.router)
for found in files("api"):
    api.add_router("api/v1", found.router)
for found in files("webhooks"):
    api.add_router("webhooks", found.router)

