"""The authorization server: FAPI 2.0, one endpoint a file, no HTML."""
