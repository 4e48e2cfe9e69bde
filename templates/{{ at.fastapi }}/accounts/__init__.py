"""Users, their organizations and roles, and how they sign in; other modules import its `public` only."""
