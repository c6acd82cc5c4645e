"""Arithmetic of planning, on plain values and arrays: it knows no database, clock or settings."""
