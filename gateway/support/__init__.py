"""What Korean MyData participants ask of each other: consents, readiness, numbers (지원-101 to 107)."""
