"""Predictions of a model."""
