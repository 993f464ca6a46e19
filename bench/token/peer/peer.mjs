// npm oidc-provider in its FAPI 2.0 profile over plain http on a free loopback port, in memory or on
// PostgreSQL. Its issuer is told, so that requests signed for everybody fit.
//   in {issuer, client, citizens, format, socket?}   out {ready, origin, refresh_tokens}
import * as crypto from 'node:crypto'
import * as http from 'node:http'
import * as readline from 'node:readline'
import Provider from 'oidc-provider'

console.info = console.warn = () => {} // its notes on in-memory storage and Node versions
const lines = readline.createInterface({ input: process.stdin })
lines.on('close', () => process.exit(0))
const told = JSON.parse(await new Promise((heard) => lines.once('line', heard)))
const adapter = told.socket ? await (await import('./store.mjs')).open(told.socket) : undefined

const signing = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
const provider = new Provider(told.issuer, {
  adapter,
  clients: [told.client],
  jwks: { keys: [{ ...signing, alg: 'ES256', use: 'sig' }] },
  cookies: { keys: [crypto.randomBytes(32).toString('hex')] },
  scopes: ['company', 'offline_access'],
  rotateRefreshToken: false,
  responseTypes: ['code'],
  clientAuthMethods: ['private_key_jwt'],
  enabledJWA: {
    clientAuthSigningAlgValues: ['ES256'], dPoPSigningAlgValues: ['ES256'], idTokenSigningAlgValues: ['ES256'],
  },
  routes: { token: '/token', introspection: '/introspect' },
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  ttl: { ClientCredentials: 600 },
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    devInteractions: { enabled: false },
    dPoP: { enabled: true, requireNonce: () => false },
    fapi: { enabled: true, profile: '2.0' },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => `${told.issuer}/data`,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: 'company', accessTokenFormat: told.format, jwt: { sign: { alg: 'ES256' } } }),
    },
  },
})
provider.on('server_error', (_ctx, error) => process.stderr.write(`${error.stack}\n`))

// Citizens with a grant and a refresh token each, as a code would have left them.
const client = await provider.Client.find(told.client.client_id)
const refreshTokens = []
for (let n = 0; n < told.citizens; n += 1) {
  const accountId = `citizen-${n}`
  const grant = new provider.Grant({ accountId, clientId: client.clientId })
  grant.addResourceScope(`${told.issuer}/data`, 'company')
  grant.addOIDCScope('offline_access')
  const grantId = await grant.save()
  const token = new provider.RefreshToken({
    accountId, client, grantId, gty: 'authorization_code', resource: `${told.issuer}/data`, scope: 'company offline_access',
  })
  refreshTokens.push(await token.save())
}

const server = http.createServer(provider.callback())
server.keepAliveTimeout = 30_000
server.listen(0, '127.0.0.1', () => {
  const origin = `http://127.0.0.1:${server.address().port}`
  process.stdout.write(JSON.stringify({ ready: true, origin, refresh_tokens: refreshTokens }) + '\n')
})
