"""Forms of incentives that are longer than a verb's own."""
