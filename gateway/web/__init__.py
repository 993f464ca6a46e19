"""The citizen's pages: sign-in, the question of consent, what was really sent, withdrawal. No scripts."""
