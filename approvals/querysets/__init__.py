"""Chainable reads of the models, by subject as these: who may see what stands here."""
