"""A citizen's own data handed to themself: asked, pulled as transfers pull, kept sealed, fetched."""
