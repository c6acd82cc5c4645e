"""How dates and numbers are written, by language: unambiguous for readers of any country, hours from 0 to 24."""
