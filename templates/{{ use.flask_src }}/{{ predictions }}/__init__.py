"""What a model says of a text: a few calls at once, none for too long, and nothing is kept."""
