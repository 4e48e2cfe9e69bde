"""Users, organizations, roles and tokens."""
