"""How people come in and grow: hiring, onboarding, protected sessions, mentoring."""
