"""What happened, told as it happens, and streamed answers; other modules import its `public` only."""
