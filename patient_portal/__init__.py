"""A patient portal for people at home on differentiation therapy."""

__version__ = "0.1.0"
