"""Doors in the admin, by subject. What is read by people without SETTLE names no wage and no amount."""

from incentives.admin import batches, lines, plans, runs, simulations

__all__ = ["batches", "lines", "plans", "runs", "simulations"]
