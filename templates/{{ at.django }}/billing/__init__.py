"""Invoices, their numbers and their payments. Other modules use `public` and nothing else."""
