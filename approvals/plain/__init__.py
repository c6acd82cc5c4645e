"""Plain values: what needs no database, no clock and no request, and is tested without them."""
