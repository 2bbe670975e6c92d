"""Synthetic courses of therapy, put through the protocol day by day. Pure; makes no claims.

The quiet half (people without the syndrome) measures the burden of false alerts and is the half
to trust; the other half only shows what its own assumptions lead to.
"""
