// A service company built on oauth4webapi that authenticates by certificate (RFC 8705) over node:https.
//   in {issuer, client_id, redirect_uri, details, certificate, key, ca}   out {authorize}   in {callback}   out {result}
// Any library complaint ends the process with exit code 1 and the complaint on stderr.
import { readFileSync } from 'node:fs'
import * as https from 'node:https'
import * as readline from 'node:readline'
import * as oauth from 'oauth4webapi'

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (message) => process.stdout.write(JSON.stringify(message) + '\n')
const hear = async () => JSON.parse((await lines.next()).value)

const told = await hear()
const agent = new https.Agent({
  cert: readFileSync(told.certificate), key: readFileSync(told.key), ca: readFileSync(told.ca),
})
const fetchWithCertificate = (url, options) => new Promise((resolve, reject) => {
  const body = options.body === undefined || options.body === null ? undefined : String(options.body)
  const headers = { ...options.headers }
  if (body !== undefined) headers['content-length'] = Buffer.byteLength(body)
  const request = https.request(url, { agent, method: options.method, headers }, (answer) => {
    const parts = []
    answer.on('data', (part) => parts.push(part))
    answer.on('end', () => {
      const text = Buffer.concat(parts)
      resolve(new Response(text.length ? text : null, { status: answer.statusCode, headers: answer.headers }))
    })
  })
  request.on('error', reject)
  request.end(body)
})

const issuer = new URL(told.issuer)
const client = { client_id: told.client_id, use_mtls_endpoint_aliases: true }
const options = { [oauth.customFetch]: fetchWithCertificate }
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2' }))
const authentication = oauth.TlsClientAuth()
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
  options,
))
const authorize = new URL(as.authorization_endpoint)
authorize.searchParams.set('client_id', client.client_id)
authorize.searchParams.set('request_uri', pushed.request_uri)
say({ authorize: authorize.href })

const callback = oauth.validateAuthResponse(as, client, new URL((await hear()).callback), state)
const tokens = await oauth.processAuthorizationCodeResponse(as, client, await oauth.authorizationCodeGrantRequest(
  as, client, authentication, callback, told.redirect_uri, verifier, options,
))
const data = new URL('/data', as.mtls_endpoint_aliases.token_endpoint)
const call = (token, more) => oauth.protectedResourceRequest(token, 'GET', data, undefined, null, more)
const first = await (await call(tokens.access_token, options)).json()
const refreshed = await oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(
  as, client, authentication, tokens.refresh_token, options,
))
const second = (await call(refreshed.access_token, options)).status
const introspected = await oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(
  as, client, authentication, tokens.access_token, options,
))
let without
try {
  await call(tokens.access_token)
} catch (error) {
  without = { code: error.code, status: error.response.status }
}
await oauth.processRevocationResponse(
  await oauth.revocationRequest(as, client, authentication, tokens.refresh_token, options))
say({ result: { token_type: tokens.token_type, details: tokens.authorization_details, first, second, introspected, without } })
process.exit(0)
