"""Sandbox holders and people: real wire standards over generated lives. Never real data."""
