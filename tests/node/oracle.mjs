// npm oidc-provider in its FAPI 2.0 profile, in memory, over https on a free loopback port: the peer our
// answers are held against. Whoever visits its interaction page is signed in and agrees to everything.
//   in {certificate, key, clients}   out {issuer}
import * as crypto from 'node:crypto'
import * as fs from 'node:fs'
import * as https from 'node:https'
import * as readline from 'node:readline'
import Provider from 'oidc-provider'

console.info = console.warn = () => {} // its notes on in-memory storage and Node versions
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const told = JSON.parse((await lines.next()).value)
const server = https.createServer({ cert: fs.readFileSync(told.certificate), key: fs.readFileSync(told.key) })
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
const issuer = `https://127.0.0.1:${server.address().port}`

const algorithms = ['ES256', 'PS256', 'EdDSA', 'Ed25519']
const signing = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
const asked = (params) => params.authorization_details && JSON.parse(params.authorization_details)
const provider = new Provider(issuer, {
  clients: told.clients,
  jwks: { keys: [{ ...signing, alg: 'ES256', use: 'sig' }] },
  cookies: { keys: [crypto.randomBytes(32).toString('hex')] },
  scopes: ['company'],
  responseTypes: ['code'],
  clientAuthMethods: ['private_key_jwt'],
  enabledJWA: {
    clientAuthSigningAlgValues: algorithms, dPoPSigningAlgValues: algorithms, idTokenSigningAlgValues: ['ES256'],
    requestObjectSigningAlgValues: algorithms,
  },
  issueRefreshToken: () => true,
  rotateRefreshToken: false,
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  routes: {
    authorization: '/authorize', token: '/token', pushed_authorization_request: '/par',
    revocation: '/revoke', introspection: '/introspect', userinfo: '/userinfo',
  },
  ttl: { AccessToken: 600, AuthorizationCode: 60, ClientCredentials: 600, Grant: 3600, Interaction: 600, RefreshToken: 3600, Session: 3600, IdToken: 600 },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    dPoP: { enabled: true, requireNonce: () => false },
    fapi: { enabled: true, profile: '2.0' },
    introspection: { enabled: true },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
    requestObjects: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => `${issuer}/data`,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: 'company', accessTokenFormat: 'opaque' }),
    },
    revocation: { enabled: true },
    richAuthorizationRequests: {
      enabled: true,
      types: { mydata_transfer: { validate() {} } },
      authorizationDetailsForGrantSource: (ctx) => asked(ctx.oidc.params),
      authorizationDetailsForAccessToken: (_ctx, _token, source) => source?.rar,
      authorizationDetailsForIntrospection: (_ctx, token) => token.rar,
    },
  },
})
provider.on('server_error', (_ctx, error) => process.stderr.write(`${error.stack}\n`))

const answer = provider.callback()
server.on('request', async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response)
  const { params, grantId } = await provider.interactionDetails(request, response)
  const grant = (grantId && await provider.Grant.find(grantId))
    || new provider.Grant({ accountId: 'citizen', clientId: params.client_id })
  const result = { login: { accountId: 'citizen' }, consent: { grantId: await grant.save() } }
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
})
process.stdout.write(JSON.stringify({ issuer }) + '\n')
