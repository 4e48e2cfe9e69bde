"""Users, their organizations, roles and tokens; other modules import its `public` only."""
