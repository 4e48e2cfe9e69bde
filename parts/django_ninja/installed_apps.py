    "ninja",  # the files of Swagger UI
