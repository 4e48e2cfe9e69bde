"""Webhooks: verified, stored, answered, and applied by a worker."""
