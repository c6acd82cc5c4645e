"""What good work earns: plans, tiers, statements, pay-out batches."""
