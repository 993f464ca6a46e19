"""The service company's half: a FAPI 2.0 client made with PyJWT and httpx.

What a recipient has to do and nothing more: push the request, exchange the code, ask for a transfer,
download and open the bundle. Small enough to be read as the example it is.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jwt.algorithms import ECAlgorithm


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _public(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    jwk: dict[str, str] = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {name: jwk[name] for name in ("kty", "crv", "x", "y")}


def _thumbprint(jwk: dict[str, str]) -> str:
    """RFC 7638."""
    members = json.dumps(dict(sorted(jwk.items())), separators=(",", ":"))
    return _b64(hashlib.sha256(members.encode()).digest())


@dataclass
class CompanyKeys:
    """The company's three keys: who it is, what its tokens are bound to, what bundles are sealed to."""

    signing: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    proof: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    sealing: x25519.X25519PrivateKey = field(default_factory=x25519.X25519PrivateKey.generate)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys the company registers."""
        signing = _public(self.signing)
        return {
            "keys": [
                {**signing, "kid": _thumbprint(signing), "use": "sig", "alg": "ES256"},
                self._sealing_public(),
            ]
        }

    def _sealing_public(self) -> dict[str, str]:
        raw = self.sealing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        jwk = {"kty": "OKP", "crv": "X25519", "x": _b64(raw)}
        return {**jwk, "kid": _thumbprint(jwk), "use": "enc"}

    def sealing_private(self) -> dict[str, str]:
        """The private key that opens bundles, as a JWK."""
        raw = self.sealing.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return {**self._sealing_public(), "d": _b64(raw)}


class CompanyError(Exception):
    """The gateway answered with an error; `code` is its stable code."""

    def __init__(self, response: httpx.Response) -> None:
        """Read the code out of a problem document or an OAuth error."""
        try:
            body = response.json()
        except ValueError:
            body = {}
        self.status = response.status_code
        self.body: dict[str, Any] = body
        self.code = str(body.get("code") or body.get("error") or response.status_code)
        super().__init__(
            f"{response.status_code} {self.code}: {body.get('title') or body.get('error_description')}"
        )


class Company:
    """One registered client of the gateway."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        issuer: str,
        client_id: str,
        keys: CompanyKeys,
        redirect_uri: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Act as `client_id` at `issuer`; `now` gives epoch seconds."""
        self._now = now
        self.http, self.issuer, self.client_id, self.keys = http, issuer, client_id, keys
        self.redirect_uri = redirect_uri
        self.metadata: dict[str, Any] = {}
        self.state = self.grant_id = self._nonce = ""
        self.tokens: dict[str, Any] = {}

    async def discover(self) -> dict[str, Any]:
        """RFC 8414: read the server's metadata and check that it speaks for this issuer."""
        response = await self.http.get(f"{self.issuer}/.well-known/oauth-authorization-server")
        self.metadata = self._accept(response)
        if self.metadata["issuer"] != self.issuer:
            raise ValueError("the metadata speaks for another issuer")
        return self.metadata

    async def push(self, details: list[dict[str, Any]], language: str = "ko", **more: str) -> str:
        """RFC 9126, 9396, 7636: push the request; return the address to send the citizen to.

        `more` are further parameters, such as `grant_management_action` and `grant_id`.
        """
        self._verifier, self.state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        url = self.metadata["pushed_authorization_request_endpoint"]
        form = {
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "code_challenge": _b64(hashlib.sha256(self._verifier.encode()).digest()),
            "code_challenge_method": "S256",
            "authorization_details": json.dumps(details, ensure_ascii=False),
            "ui_locales": language,
            **more,
        }
        answer = await self._post(url, form)
        self.grant_id = answer.get("grant_id", "")
        query = urlencode({"client_id": self.client_id, "request_uri": answer["request_uri"]})
        return f"{self.metadata['authorization_endpoint']}?{query}"

    async def exchange(self, answer: dict[str, str]) -> dict[str, Any]:
        """RFC 9207, 6749 4.1.3: check issuer and state of the answer, then exchange its code."""
        if answer.get("iss") != self.issuer or answer.get("state") != self.state:
            raise ValueError("the answer is not from the server that was asked")
        if "error" in answer:
            raise PermissionError(answer["error"])
        self.tokens = await self._token(
            grant_type="authorization_code",
            code=answer["code"],
            redirect_uri=self.redirect_uri,
            code_verifier=self._verifier,
        )
        return self.tokens

    async def refresh(self) -> dict[str, Any]:
        """RFC 6749 6: a fresh access token for as long as the consent lives."""
        fresh = await self._token(grant_type="refresh_token", refresh_token=self.tokens["refresh_token"])
        self.tokens = {**self.tokens, **fresh}
        return self.tokens

    async def _token(self, **form: str) -> dict[str, Any]:
        return await self._post(self.metadata["token_endpoint"], form)

    async def ask_transfer(self, key: str | None = None) -> dict[str, Any]:
        """Ask for everything the grant covers; the answer carries the decision."""
        headers = {"Idempotency-Key": key or secrets.token_urlsafe(16)}
        return self._accept(await self.call("POST", f"{self.issuer}/transfers", headers=headers, json={}))

    async def transfer(self, transfer_id: str) -> dict[str, Any]:
        """How far a transfer is."""
        return self._accept(await self.call("GET", f"{self.issuer}/transfers/{transfer_id}"))

    async def download(self, bundle_id: str) -> bytes:
        """The sealed bundle."""
        response = await self.call("GET", f"{self.issuer}/bundles/{bundle_id}")
        if response.status_code != 200:
            raise CompanyError(response)
        return response.content

    async def call(
        self, method: str, url: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """RFC 9449 7.1: a call with the bound access token and a fresh proof."""
        token = self.tokens["access_token"]
        ath = _b64(hashlib.sha256(token.encode()).digest())
        for _ in range(2):
            proof = self._proof(method, url, ath)
            signed = {"Authorization": f"DPoP {token}", "DPoP": proof, **(headers or {})}
            response = await self.http.request(method, url, headers=signed, **more)
            if not self._lacked_nonce(response):
                break
        return response

    async def _post(self, url: str, form: dict[str, str]) -> dict[str, Any]:
        """A form with a fresh assertion and a fresh proof."""
        for _ in range(2):
            data = {"client_id": self.client_id, **form, **self._assertion()}
            response = await self.http.post(url, data=data, headers={"DPoP": self._proof("POST", url)})
            if not self._lacked_nonce(response):
                break
        return self._accept(response)

    def _lacked_nonce(self, response: httpx.Response) -> bool:
        """RFC 9449 8, 9: keep the nonce an answer tells; whether it was refused for the lack of it."""
        self._nonce = response.headers.get("DPoP-Nonce", self._nonce)
        return response.status_code in {400, 401} and CompanyError(response).code == "dpop_nonce_needed"

    def _assertion(self) -> dict[str, str]:
        """RFC 7523 with the issuer as the only audience (FAPI2-SP 5.3.2.1-8)."""
        now = int(self._now())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.issuer,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_urlsafe(16),
        }
        kid = _thumbprint(_public(self.keys.signing))
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode(
                claims, self.keys.signing, algorithm="ES256", headers={"kid": kid}
            ),
        }

    def _proof(self, method: str, url: str, ath: str | None = None) -> str:
        """RFC 9449 4.2."""
        claims = {"jti": secrets.token_urlsafe(16), "htm": method, "htu": url, "iat": int(self._now())}
        headers = {"typ": "dpop+jwt", "jwk": _public(self.keys.proof)}
        told = {"nonce": self._nonce, "ath": ath}
        body = {**claims, **{name: value for name, value in told.items() if value}}
        return jwt.encode(body, self.keys.proof, algorithm="ES256", headers=headers)

    @staticmethod
    def _accept(response: httpx.Response) -> dict[str, Any]:
        if response.status_code >= 300:
            raise CompanyError(response)
        answer: dict[str, Any] = response.json()
        return answer
