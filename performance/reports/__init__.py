"""What pages and mails show, as frozen dataclasses. Doors import the module they need."""
