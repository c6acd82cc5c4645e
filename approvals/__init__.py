"""What needs a second person: request engine, agent status, canned replies, blacklist."""
