    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
