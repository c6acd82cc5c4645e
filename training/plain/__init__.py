"""Judgement of hiring, onboarding and training on plain values: no model, no clock, no settings."""
