"""Whole roads, with real processes and a real browser."""
