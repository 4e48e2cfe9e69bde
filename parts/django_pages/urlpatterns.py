    path("", pages.home, name="home"),
