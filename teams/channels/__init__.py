"""Ways by which a notice reaches a person: mail, and the robots of four chat services. Choice, addresses, gateways."""
