"""What people fill in, by subject, and whether it can be read. What is allowed the services say."""
