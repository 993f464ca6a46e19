"""What the ledger can say happened: one stable word `source:subject:action` an event."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """The kind of a ledger entry. Values are part of the log format: never rename, only add."""

    LEDGER_LOG_OPENED = "ledger:log:opened"
    LEDGER_ENTRIES_COPIED = "ledger:entries:copied"
    LEDGER_ENTRIES_SEARCHED = "ledger:entries:searched"
    LEDGER_ENTRY_OPENED = "ledger:entry:opened"
    LEDGER_CENSUS_TAKEN = "ledger:census:taken"
    CLIENT_REGISTRATION_REGISTERED = "client:registration:registered"
    CLIENT_REGISTRATION_SUSPENDED = "client:registration:suspended"
    CLIENT_REGISTRATION_RESUMED = "client:registration:resumed"
    CLIENT_KEYS_CHANGED = "client:keys:changed"
    KEY_SIGNING_ANNOUNCED = "key:signing:announced"
    KEY_SIGNING_REVOKED = "key:signing:revoked"
    KEY_SUBJECTS_REWRAPPED = "key:subjects:rewrapped"
    OAUTH_AUTHORIZATION_PUSHED = "oauth:authorization:pushed"
    OAUTH_AUTHORIZATION_REFUSED = "oauth:authorization:refused"
    OAUTH_REFUSALS_COUNTED = "oauth:refusals:counted"
    CITIZEN_SESSION_STARTED = "citizen:session:started"
    CITIZEN_RECOGNITION_AGREED = "citizen:recognition:agreed"
    CONSENT_REQUEST_SHOWN = "consent:request:shown"
    CONSENT_REQUEST_DEFERRED = "consent:request:deferred"
    CONSENT_REQUEST_LAPSED = "consent:request:lapsed"
    CONSENT_REQUEST_REFUSED = "consent:request:refused"
    CONSENT_GRANT_GIVEN = "consent:grant:given"
    CONSENT_GRANT_NARROWED = "consent:grant:narrowed"
    CONSENT_GRANT_AMENDED = "consent:grant:amended"
    CONSENT_GRANT_RENEWED = "consent:grant:renewed"
    CONSENT_GRANT_PAUSED = "consent:grant:paused"
    CONSENT_GRANT_RESUMED = "consent:grant:resumed"
    CONSENT_GRANT_EXPIRED = "consent:grant:expired"
    CONSENT_GRANT_INVALIDATED = "consent:grant:invalidated"
    CONSENT_WITHDRAWAL_COMPLETED = "consent:withdrawal:completed"
    CONSENT_GRANT_WITHDRAWN = "consent:grant:withdrawn"
    CONSENT_GRANT_REVOKED = "consent:grant:revoked"
    TOKEN_ACCESS_ISSUED = "token:access:issued"  # noqa: S105 (an event name)
    TOKEN_REFRESH_REVOKED = "token:refresh:revoked"  # noqa: S105 (an event name)
    TOKEN_ACCESS_REFUSED = "token:access:refused"  # noqa: S105 (an event name)
    TRANSFER_REQUEST_RECEIVED = "transfer:request:received"
    TRANSFER_REQUEST_REFUSED = "transfer:request:refused"
    TRANSFER_REQUEST_ENDED = "transfer:request:ended"
    POLICY_DECISION_MADE = "policy:decision:made"
    PULL_HOLDER_INTENDED = "pull:holder:intended"
    PULL_HOLDER_DONE = "pull:holder:done"
    BUNDLE_RELEASE_SEALED = "bundle:release:sealed"
    BUNDLE_DELIVERY_SENT = "bundle:delivery:sent"
    RECEIPT_GRANT_ISSUED = "receipt:grant:issued"
    HOLDER_LINK_MADE = "holder:link:made"
    HOLDER_NOTICE_ACKNOWLEDGED = "holder:notice:acknowledged"
    POLICY_BUNDLE_ACTIVATED = "policy:bundle:activated"
    SUBJECT_RECORD_ERASED = "subject:record:erased"
