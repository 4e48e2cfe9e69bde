"""How this project runs on Django: settings, URLs and the entry points of the servers."""
