"""Users, and with the example organizations, roles and tokens."""
