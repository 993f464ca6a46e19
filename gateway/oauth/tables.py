"""What the authorization server keeps. Times are epoch seconds; secrets are kept as SHA-256 only."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from consent.tables import partial_index

REVOKED = text("revoked_at IS NOT NULL")
UNCOUNTED = text("counted_at IS NULL")


def _seconds(*, optional: bool = False, index: bool = False) -> Column[int]:
    return Column(BigInteger, nullable=optional, index=index)


class ClientRow(SQLModel, table=True):
    """A registered client. `document` is what was registered; `status` is active or suspended."""

    __tablename__ = "oauth_client"

    id: str = Field(primary_key=True)
    document: str = Field(sa_column=Column(Text, nullable=False))
    status: str
    created_at: int = Field(sa_column=_seconds())
    updated_at: int = Field(sa_column=_seconds())


class ClientKeysRow(SQLModel, table=True):
    """When the key set of a `jwks_uri` client was read, last tried, and will be read again."""

    __tablename__ = "oauth_client_keys"

    client_id: str = Field(primary_key=True)
    fetched_at: int = Field(sa_column=_seconds())
    tried_at: int = Field(sa_column=_seconds())
    next_at: int = Field(sa_column=_seconds(index=True))


class AuthorizationRequestRow(SQLModel, table=True):
    """A pushed authorization request and the citizen's answer to it.

    `expires_at` ends the request_uri (RFC 9126), `answer_by` the time to answer the page. `settled_at`
    is set once by the winning answer, `finished_at` once by the response that leaves for the client.
    `grant_id` and `grant_generation` name the grant the answer made; `error` is the OAuth error of one that
    is no answer. `stage` is how far the citizen came (`gateway.oauth.stages`), `counted_at` when that was
    counted, `taken_at` when the citizen's own browser took an answer that somebody gave for them.
    """

    __tablename__ = "authorization_request"
    __table_args__ = (partial_index("ix_request_uncounted", "answer_by", "interaction_id", where=UNCOUNTED),)

    interaction_id: str = Field(primary_key=True)
    request_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    client_id: str = Field(index=True)
    parameters: str = Field(sa_column=Column(Text, nullable=False))
    dpop_jkt: str | None = None
    created_at: int = Field(sa_column=_seconds())
    expires_at: int = Field(sa_column=_seconds())
    answer_by: int = Field(sa_column=_seconds(index=True))
    settled_at: int | None = Field(default=None, sa_column=_seconds(optional=True))
    allowed: bool | None = None
    consent_id: str | None = None
    consent_version: int | None = None
    subject_id: str | None = None
    session_hash: str | None = None
    details: str | None = Field(default=None, sa_column=Column(Text))
    grant_id: str | None = None
    grant_generation: int | None = None
    error: str | None = None
    finished_at: int | None = Field(default=None, sa_column=_seconds(optional=True))
    stage: int | None = None
    counted_at: int | None = Field(default=None, sa_column=_seconds(optional=True))
    taken_at: int | None = Field(default=None, sa_column=_seconds(optional=True))


class AuthorizationCodeRow(SQLModel, table=True):
    """One authorization code (at most one per request); `used_at` is set once, atomically."""

    __tablename__ = "authorization_code"

    code_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    interaction_id: str = Field(unique=True)
    client_id: str
    grant_id: str
    grant_generation: int = 1
    redirect_uri: str
    scope: str = ""
    code_challenge: str
    dpop_jkt: str | None = None
    created_at: int = Field(sa_column=_seconds())
    expires_at: int = Field(sa_column=_seconds(index=True))
    used_at: int | None = Field(default=None, sa_column=_seconds(optional=True))


class GrantRow(SQLModel, table=True):
    """The authorization made from a consent. Dead once `revoked_at` is set, or with its consent.

    Codes and tokens of an older `generation` are dead. `resources` are the protected resources it is for
    (RFC 8707), separated by spaces; none means the usual ones. `updated_by`: client or authorization_server.
    """

    __tablename__ = "oauth_grant"
    __table_args__ = (partial_index("ix_grant_revoked", "revoked_at", "id", where=REVOKED),)

    id: str = Field(primary_key=True)
    client_id: str = Field(index=True)
    subject_id: str
    consent_id: str = Field(index=True)
    consent_version: int
    scope: str = ""
    details: str = Field(sa_column=Column(Text, nullable=False))
    generation: int = 1
    resources: str = ""
    updated_by: str = "client"
    created_at: int = Field(sa_column=_seconds())
    updated_at: int = Field(sa_column=_seconds())
    revoked_at: int | None = Field(default=None, sa_column=_seconds(optional=True))
    revoked_why: str | None = None


class RefreshTokenRow(SQLModel, table=True):
    """A refresh token of `client_id`, never rotated (FAPI 2.0 5.3.2.1-9).

    `jkt` is the thumbprint of what it was first issued to: a key, or a certificate (RFC 8705).
    """

    __tablename__ = "refresh_token"

    token_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    grant_id: str = Field(index=True)
    grant_generation: int = 1
    client_id: str
    jkt: str
    created_at: int = Field(sa_column=_seconds())
    expires_at: int = Field(sa_column=_seconds(index=True))
    revoked_at: int | None = Field(default=None, sa_column=_seconds(optional=True))


class ReplayRow(SQLModel, table=True):
    """Something that may be used once: `purpose` is assertion, proof, or revoked (a dead access token)."""

    __tablename__ = "replay"
    __table_args__ = (Index("ix_replay_expires", "expires_at"),)

    purpose: str = Field(primary_key=True)
    key_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    expires_at: int = Field(sa_column=_seconds())


class ReplayMarkRow(SQLModel, table=True):
    """Up to which moment one-time values may be forgotten; the only row has id 1, `before` only rises."""

    __tablename__ = "replay_mark"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    before: int = Field(sa_column=_seconds())


class RefusalCountRow(SQLModel, table=True):
    """How often something was refused in one hour (`hour`: epoch seconds at which it began), not yet told."""

    __tablename__ = "refusal_count"

    hour: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    code: str = Field(primary_key=True)
    number: int = Field(sa_column=Column(BigInteger, nullable=False))


class FlowCountRow(SQLModel, table=True):
    """How many flows of one client, begun on one Korean day, ended in one way. It names no citizen."""

    __tablename__ = "flow_count"

    day: str = Field(primary_key=True, max_length=10)
    client_id: str = Field(primary_key=True, max_length=128)
    ending: str = Field(primary_key=True, max_length=24)
    number: int = Field(sa_column=Column(BigInteger, nullable=False))
