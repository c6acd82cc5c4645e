"""What people are told, by subject: each function makes one letter of a notice, or none where it is no longer worth telling."""
