// A service company built on openid-client. Talks to its test over stdin/stdout, one JSON object a line:
//   out {keys: [{alg, jwk}]}   in {issuer, redirect_uri, details, clients: [{alg, client_id}]}
//   for each client: out {authorize}   in {callback}   out {result}
// Any library complaint ends the process with exit code 1 and the complaint on stderr.
import * as readline from 'node:readline'
import * as client from 'openid-client'

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (message) => process.stdout.write(JSON.stringify(message) + '\n')
const hear = async () => JSON.parse((await lines.next()).value)
const members = { ES256: ['kty', 'crv', 'x', 'y'], PS256: ['kty', 'n', 'e'], Ed25519: ['kty', 'crv', 'x'] }

const pairs = {}
for (const alg of Object.keys(members)) pairs[alg] = await client.randomDPoPKeyPair(alg, { extractable: true })
const keys = []
for (const [alg, pair] of Object.entries(pairs)) {
  const jwk = await crypto.subtle.exportKey('jwk', pair.publicKey)
  keys.push({ alg, jwk: Object.fromEntries(members[alg].map((name) => [name, jwk[name]])) })
}
say({ keys })

const told = await hear()
const issuer = new URL(told.issuer)
const data = new URL('/data', issuer)
for (const { alg, client_id } of told.clients) {
  const authentication = client.PrivateKeyJwt({ key: pairs[alg].privateKey, kid: 'k0' })
  const configurations = []
  for (const algorithm of ['oauth2', 'oidc']) {
    configurations.push(await client.discovery(
      issuer, client_id, { dpop_bound_access_tokens: true }, authentication, { algorithm }))
  }
  const [config, openid] = configurations
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair(alg))
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState()
  const authorize = await client.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: told.redirect_uri,
    state: expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    authorization_details: JSON.stringify(told.details),
  }, { DPoP })
  say({ authorize: authorize.href })

  const callback = new URL((await hear()).callback)
  const tokens = await client.authorizationCodeGrant(
    config, callback, { pkceCodeVerifier, expectedState }, undefined, { DPoP })
  const call = async (token, path = data) =>
    (await client.fetchProtectedResource(config, token, path, 'GET', undefined, undefined, { DPoP })).json()
  const first = await call(tokens.access_token)
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
  const second = await call(refreshed.access_token)
  const company = await client.clientCredentialsGrant(config, { scope: 'company' }, { DPoP })
  const own = await call(company.access_token, new URL('/company', issuer))
  const introspected = await client.tokenIntrospection(config, refreshed.access_token)
  await client.tokenRevocation(config, tokens.refresh_token)
  const afterwards = await client.tokenIntrospection(config, refreshed.access_token)
  const refused = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
    .then(() => 'accepted', (error) => error.error)
  say({
    result: {
      same_metadata: JSON.stringify(config.serverMetadata()) === JSON.stringify(openid.serverMetadata()),
      pkce: config.serverMetadata().supportsPKCE(),
      query: [...authorize.searchParams.keys()].sort(),
      token_type: tokens.token_type,
      details: tokens.authorization_details,
      grant_id: tokens.grant_id,
      first, second, own, introspected, afterwards, refused,
    },
  })
}
process.exit(0)
