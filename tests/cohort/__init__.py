"""Synthetic courses: how they are made, judged, counted and drawn."""
