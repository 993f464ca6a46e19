// A service company built on oauth4webapi. Talks to its test over stdin/stdout, one JSON object a line:
//   out {jwk}   in {issuer, client_id, redirect_uri, details}   out {authorize}   in {callback}   out {result}
// Any library complaint ends the process with exit code 1 and the complaint on stderr.
import * as readline from 'node:readline'
import * as oauth from 'oauth4webapi'

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (message) => process.stdout.write(JSON.stringify(message) + '\n')
const hear = async () => JSON.parse((await lines.next()).value)

const pair = await oauth.generateKeyPair('ES256', { extractable: true })
const jwk = await crypto.subtle.exportKey('jwk', pair.publicKey)
say({ jwk: { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y } })

const told = await hear()
const issuer = new URL(told.issuer)
const client = { client_id: told.client_id }
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2' }))
const openid = await (await fetch(new URL('/.well-known/openid-configuration', issuer))).json()
const authentication = oauth.PrivateKeyJwt({ key: pair.privateKey, kid: 'k0' })
const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))

const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const pushed = await oauth.processPushedAuthorizationResponse(as, client, await oauth.pushedAuthorizationRequest(
  as, client, authentication,
  {
    response_type: 'code',
    redirect_uri: told.redirect_uri,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    authorization_details: JSON.stringify(told.details),
  },
  { DPoP },
))
const authorize = new URL(as.authorization_endpoint)
authorize.searchParams.set('client_id', client.client_id)
authorize.searchParams.set('request_uri', pushed.request_uri)
say({ authorize: authorize.href, expires_in: pushed.expires_in })

const callback = oauth.validateAuthResponse(as, client, new URL((await hear()).callback), state)
const tokens = await oauth.processAuthorizationCodeResponse(as, client, await oauth.authorizationCodeGrantRequest(
  as, client, authentication, callback, told.redirect_uri, verifier, { DPoP },
))
const data = new URL('/data', issuer)
const call = (token) => oauth.protectedResourceRequest(token, 'GET', data, undefined, null, { DPoP })
const first = await (await call(tokens.access_token)).json()

const refreshed = await oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(
  as, client, authentication, tokens.refresh_token, { DPoP },
))
const second = (await call(refreshed.access_token)).status

// The library as a resource server: our token, its proof, our published keys.
let seen
await oauth.protectedResourceRequest(tokens.access_token, 'GET', data, undefined, null, {
  DPoP,
  [oauth.customFetch]: (url, options) => { seen = new Request(url, options); return fetch(url, options) },
})
const claims = await oauth.validateJwtAccessToken(as, seen, told.issuer, { requireDPoP: true })

const introspected = await oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(
  as, client, authentication, tokens.access_token,
))
await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, authentication, tokens.refresh_token))
let challenged
try {
  await call(tokens.access_token)
} catch (error) {
  challenged = error.code
}
say({
  result: {
    metadata_equal: JSON.stringify(as) === JSON.stringify(openid),
    token_type: tokens.token_type,
    details: tokens.authorization_details,
    grant_id: tokens.grant_id,
    first, second, claims, introspected, challenged,
  },
})
process.exit(0)
