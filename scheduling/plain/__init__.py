"""Arithmetic and judgement on plain values: no model, no clock, no settings."""
