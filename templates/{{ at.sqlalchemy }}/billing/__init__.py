"""Invoices and the payments that settle them; other modules import its `public` only."""
