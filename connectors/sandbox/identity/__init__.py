"""A sandbox OpenID provider: anybody may sign in as any generated person, and every page says so.

Not an identity service: there is no proof of anything. It speaks OpenID Connect Core 1.0 with code, PKCE S256
and `private_key_jwt`, and gives the statements by which a holder links a person (`/link-assertions`).
"""
