"""Bringing a token's secret where another program looks for it."""
