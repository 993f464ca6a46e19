// A service company that signs everything: request object (JAR), signed response (JARM), signed introspection.
// Talks to its test over stdin/stdout, one JSON object a line:
//   out {keys: [{alg, jwk}]}   in {issuer, redirect_uri, details, clients: [{alg, client_id}]}
//   for each client: out {authorize, expires_in}  in {callback}  out {authorize}  in {callback}  out {result}
// Any library complaint ends the process with exit code 1 and the complaint on stderr.
import * as readline from 'node:readline'
import * as oauth from 'oauth4webapi'

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
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2' }))

for (const { alg, client_id } of told.clients) {
  const client = {
    client_id,
    authorization_signed_response_alg: 'ES256',
    introspection_signed_response_alg: 'ES256',
    require_signed_request_object: true,
  }
  const key = { key: pairs[alg].privateKey, kid: 'k0' }
  const authentication = oauth.PrivateKeyJwt(key)
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const parameters = {
    response_type: 'code',
    response_mode: 'jwt',
    redirect_uri: told.redirect_uri,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    authorization_details: JSON.stringify(told.details),
  }
  const push = async (parameters) => oauth.processPushedAuthorizationResponse(as, client,
    await oauth.pushedAuthorizationRequest(as, client, authentication, parameters, { DPoP }))
  const ask = async (parameters) => {
    const request = await oauth.issueRequestObject(as, client, parameters, key)
    const pushed = await push({ request })
    const authorize = new URL(as.authorization_endpoint)
    authorize.searchParams.set('client_id', client_id)
    authorize.searchParams.set('request_uri', pushed.request_uri)
    say({ authorize: authorize.href, expires_in: pushed.expires_in })
    return new URL((await hear()).callback)
  }
  const complaint = (promise) => promise.then(() => 'accepted', (error) => error.error ?? error.code)

  const back = await ask(parameters)
  const names = [...back.searchParams.keys()]
  const callback = await oauth.validateJwtAuthResponse(as, client, back, state)
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, await oauth.authorizationCodeGrantRequest(
    as, client, authentication, callback, told.redirect_uri, verifier, { DPoP }))
  const first = await (await oauth.protectedResourceRequest(
    tokens.access_token, 'GET', new URL('/data', issuer), undefined, null, { DPoP })).json()

  const introspect = async (token) => {
    const response = await oauth.introspectionRequest(as, client, authentication, token)
    const media = response.headers.get('content-type')
    const body = await oauth.processIntrospectionResponse(as, client, response)
    await oauth.validateApplicationLevelSignature(as, response)
    return { media, body }
  }
  const introspected = await introspect(tokens.access_token)
  const unknown = await introspect('guess')

  const plain = await complaint(push(parameters))
  const foreign = await oauth.generateKeyPair(alg)
  const forged = await complaint(oauth.issueRequestObject(as, client, parameters, { ...key, key: foreign.privateKey })
    .then((request) => push({ request })))
  const denied = await complaint(ask(parameters).then((url) => oauth.validateJwtAuthResponse(as, client, url, state)))
  say({
    result: { names, details: tokens.authorization_details, grant_id: tokens.grant_id, first, introspected, unknown, plain, forged, denied },
  })
}
process.exit(0)
