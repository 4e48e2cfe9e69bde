"""What others tell us: verified, stored once, answered, and then applied by a worker."""
