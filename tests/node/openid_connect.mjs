// A service company that recognises its citizens, once with openid-client and once with oauth4webapi; both are
// certified and check every id_token themselves. One JSON object a line:
//   out {keys: [{alg, jwk}]}   in {issuer, redirect_uri, back, details, clients: [{alg, signed, client_id}]}
//   for each client, for each library: out {authorize}   in {callback}   out {result}
// Any library complaint ends the process with exit code 1 and the complaint on stderr.
import * as readline from 'node:readline'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (message) => process.stdout.write(JSON.stringify(message) + '\n')
const hear = async () => JSON.parse((await lines.next()).value)
const members = { ES256: ['kty', 'crv', 'x', 'y'], PS256: ['kty', 'n', 'e'], Ed25519: ['kty', 'crv', 'x'] }

const pairs = {}
const keys = []
for (const [alg, names] of Object.entries(members)) {
  pairs[alg] = await oauth.generateKeyPair(alg, { extractable: true })
  const jwk = await crypto.subtle.exportKey('jwk', pairs[alg].publicKey)
  keys.push({ alg, jwk: Object.fromEntries(names.map((name) => [name, jwk[name]])) })
}
say({ keys })

const told = await hear()
const issuer = new URL(told.issuer)
const claims = JSON.stringify({ id_token: { acr: { essential: true }, locale: null, email: null } })
const asked = (nonce, challenge, state) => ({
  redirect_uri: told.redirect_uri, scope: 'openid profile', nonce, state, claims, max_age: '600',
  code_challenge: challenge, code_challenge_method: 'S256', authorization_details: JSON.stringify(told.details),
})

async function withOpenidClient(alg, signed, client_id) {
  const config = await openid.discovery(
    issuer, client_id, { id_token_signed_response_alg: signed, dpop_bound_access_tokens: true },
    openid.PrivateKeyJwt({ key: pairs[alg].privateKey, kid: 'k0' }))
  const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const expectedState = openid.randomState()
  const expectedNonce = openid.randomNonce()
  const challenge = await openid.calculatePKCECodeChallenge(pkceCodeVerifier)
  const authorize = await openid.buildAuthorizationUrlWithPAR(
    config, asked(expectedNonce, challenge, expectedState), { DPoP })
  say({ authorize: authorize.href })
  const callback = new URL((await hear()).callback)
  const tokens = await openid.authorizationCodeGrant(
    config, callback, { pkceCodeVerifier, expectedState, expectedNonce, maxAge: 600, idTokenExpected: true },
    undefined, { DPoP })
  const known = tokens.claims()
  const info = await openid.fetchUserInfo(config, tokens.access_token, known.sub, { DPoP })
  const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
  const wrong = await openid.fetchUserInfo(config, refreshed.access_token, 'somebody-else', { DPoP })
    .then(() => 'accepted', () => 'refused')
  const logout = openid.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token, post_logout_redirect_uri: told.back, state: 'bye' })
  say({ result: { known, info, again: refreshed.claims(), wrong, logout: logout.href } })
}

async function withOauth4webapi(alg, signed, client_id) {
  const client = { client_id, id_token_signed_response_alg: signed, require_auth_time: true }
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer))
  const authentication = oauth.PrivateKeyJwt({ key: pairs[alg].privateKey, kid: 'k0' })
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const nonce = oauth.generateRandomNonce()
  const pushed = await oauth.processPushedAuthorizationResponse(as, client,
    await oauth.pushedAuthorizationRequest(as, client, authentication, {
      response_type: 'code', ...asked(nonce, await oauth.calculatePKCECodeChallenge(verifier), state),
    }, { DPoP }))
  const authorize = new URL(as.authorization_endpoint)
  authorize.searchParams.set('client_id', client_id)
  authorize.searchParams.set('request_uri', pushed.request_uri)
  say({ authorize: authorize.href })
  const callback = oauth.validateAuthResponse(as, client, new URL((await hear()).callback), state)
  const response = await oauth.authorizationCodeGrantRequest(
    as, client, authentication, callback, told.redirect_uri, verifier, { DPoP })
  const tokens = await oauth.processAuthorizationCodeResponse(
    as, client, response, { expectedNonce: nonce, maxAge: 600, requireIdToken: true })
  await oauth.validateApplicationLevelSignature(as, response)
  const known = oauth.getValidatedIdTokenClaims(tokens)
  const info = await oauth.processUserInfoResponse(as, client, known.sub,
    await oauth.userInfoRequest(as, client, tokens.access_token, { DPoP }))
  const again = oauth.getValidatedIdTokenClaims(await oauth.processRefreshTokenResponse(as, client,
    await oauth.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token, { DPoP })))
  say({ result: { known, info, again } })
}

for (const { alg, signed, client_id } of told.clients) {
  await withOpenidClient(alg, signed, client_id)
  await withOauth4webapi(alg, signed, client_id)
}
process.exit(0)
