// A service company built on openid-client that signs its requests, takes only signed answers, and recognises the
// citizen: JAR, JARM, RFC 9701, id_token, userinfo; by private_key_jwt and DPoP, or by certificate alone (RFC 8705).
//   out {jwk}   in {issuer, client_id, redirect_uri, details, mtls: null | {certificate, key, ca}}
//   out {authorize}   in {callback}   out {result}
// Any library complaint ends the process with exit code 1 and the complaint on stderr.
import { readFileSync } from 'node:fs'
import * as https from 'node:https'
import * as readline from 'node:readline'
import * as client from 'openid-client'

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (message) => process.stdout.write(JSON.stringify(message) + '\n')
const hear = async () => JSON.parse((await lines.next()).value)

const signing = await client.randomDPoPKeyPair('ES256', { extractable: true })
const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', signing.publicKey)
say({ jwk: { kty, crv, x, y } })
const told = await hear()

const withCertificate = (files) => {
  const agent = new https.Agent({
    cert: readFileSync(files.certificate), key: readFileSync(files.key), ca: readFileSync(files.ca),
  })
  return (url, options) => new Promise((resolve, reject) => {
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
}

const key = { key: signing.privateKey, kid: 'k0' }
const metadata = {
  authorization_signed_response_alg: 'ES256',
  id_token_signed_response_alg: 'ES256',
  introspection_signed_response_alg: 'ES256',
  require_signed_request_object: true,
  use_mtls_endpoint_aliases: told.mtls !== null,
}
const authentication = told.mtls ? client.TlsClientAuth() : client.PrivateKeyJwt(key)
const options = told.mtls ? { [client.customFetch]: withCertificate(told.mtls) } : {}
const config = await client.discovery(new URL(told.issuer), told.client_id, metadata, authentication, options)
client.useJwtResponseMode(config)
client.enableNonRepudiationChecks(config)
const proof = told.mtls ? {} : { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) }

const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedState = client.randomState()
const expectedNonce = client.randomNonce()
const signed = await client.buildAuthorizationUrlWithJAR(config, {
  redirect_uri: told.redirect_uri,
  scope: 'openid',
  state: expectedState,
  nonce: expectedNonce,
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
  authorization_details: JSON.stringify(told.details),
}, key)
const authorize = await client.buildAuthorizationUrlWithPAR(config, signed.searchParams, proof)
say({ authorize: authorize.href })

const callback = new URL((await hear()).callback)
const tokens = await client.authorizationCodeGrant(
  config, callback, { pkceCodeVerifier, expectedState, expectedNonce }, undefined, proof)
const claims = tokens.claims()
const base = told.mtls ? config.serverMetadata().mtls_endpoint_aliases.token_endpoint : told.issuer
const call = async (token) => (await client.fetchProtectedResource(
  config, token, new URL('/data', base), 'GET', undefined, undefined, proof)).json()
const first = await call(tokens.access_token)
const introspected = await client.tokenIntrospection(config, tokens.access_token)
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, proof)
const second = await call(refreshed.access_token)
const about = await client.refreshTokenGrant(
  config, tokens.refresh_token, { resource: `${told.issuer}/userinfo` }, proof)
const userinfo = await client.fetchUserInfo(config, about.access_token, claims.sub, proof)
await client.tokenRevocation(config, tokens.refresh_token)
const afterwards = await client.tokenIntrospection(config, refreshed.access_token)
say({
  result: {
    names: [...callback.searchParams.keys()],
    query: [...authorize.searchParams.keys()].sort(),
    token_type: tokens.token_type,
    details: tokens.authorization_details,
    grant_id: tokens.grant_id,
    claims, userinfo, first, second, introspected, afterwards,
  },
})
process.exit(0)
