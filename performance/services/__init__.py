"""The verbs of performance: each function is one change. Doors import the module they need."""
