"""POST /token of this gateway and of npm oidc-provider, side by side: see bench/README.md."""
