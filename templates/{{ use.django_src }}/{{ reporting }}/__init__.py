"""What was earned, as tables and as files. It reads what other modules show in their `public`."""
