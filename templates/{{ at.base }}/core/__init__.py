"""Shared by all modules: settings, logs, problem details and HTTP. It imports no domain module."""
