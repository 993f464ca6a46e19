"""The gateway's own keys, in one folder only its user can read.

    signing.pem          ES256     access tokens and receipts (published in the JWKS)
    signing-KID.pem                later keys, and those of other algorithms
    signing-000001.json            which signing key does what, from when (public halves only)
    holder-requests.pem  ES256     what the gateway signs to holders
    ledger.pem           Ed25519   checkpoints of the consent log
    subject-kek.key      32 bytes  wraps each subject's own key; losing it erases every subject
    pairwise.key         32 bytes  pairwise `sub` values of tokens
    pseudonyms.key       32 bytes  domain secret of the pseudonyms in bundles
    identity.key         32 bytes  names of proven people; a new one makes strangers of all citizens

Signing keys may lie elsewhere (`custody`). No secret is ever shown by `repr`, logged, or put in an error.
"""

from gateway.keyring import Keyring, SigningKey
from gateway.keys.all import Keys
from gateway.keys.errors import KeysError
from gateway.keys.folder import create_keys, load_keys
from gateway.keys.signing import SigningKeys

__all__ = ["Keyring", "Keys", "KeysError", "SigningKey", "SigningKeys", "create_keys", "load_keys"]
