// An adapter for oidc-provider on PostgreSQL, as its documentation asks for one: one table, JSON payloads,
// one named (prepared) statement a call, a pool of eight connections as the gateway has.
import pg from 'pg'

const TABLE = `CREATE TABLE IF NOT EXISTS oidc (
  model text NOT NULL, id text NOT NULL, payload jsonb NOT NULL, grant_id text, user_code text, uid text,
  expires_at timestamptz, consumed_at timestamptz, PRIMARY KEY (model, id))`
const LIVE = '(expires_at IS NULL OR expires_at > now())'

export async function open(socket) {
  const pool = new pg.Pool({ host: socket, user: 'mydata', database: 'bench', max: 8 })
  await pool.query(TABLE)
  const ask = (name, text, values) => pool.query({ name, text, values })

  return class Store {
    constructor(model) { this.model = model }

    async upsert(id, payload, expiresIn) {
      await ask('upsert',
        `INSERT INTO oidc (model, id, payload, grant_id, user_code, uid, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
         ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at`,
        [this.model, id, payload, payload.grantId, payload.userCode, payload.uid, expiresIn ?? null])
    }

    async find(id) { return this.one('find', 'id', id) }
    async findByUid(uid) { return this.one('uid', 'uid', uid) }
    async findByUserCode(code) { return this.one('code', 'user_code', code) }

    async one(name, column, value) {
      const { rows } = await ask(name,
        `SELECT payload, consumed_at FROM oidc WHERE model = $1 AND ${column} = $2 AND ${LIVE}`, [this.model, value])
      if (!rows.length) return undefined
      const [{ payload, consumed_at: consumed }] = rows
      return consumed ? { ...payload, consumed: Math.floor(consumed / 1000) } : payload
    }

    async consume(id) {
      await ask('consume', 'UPDATE oidc SET consumed_at = now() WHERE model = $1 AND id = $2', [this.model, id])
    }

    async destroy(id) { await ask('destroy', 'DELETE FROM oidc WHERE model = $1 AND id = $2', [this.model, id]) }
    async revokeByGrantId(grant) { await ask('revoke', 'DELETE FROM oidc WHERE grant_id = $1', [grant]) }
  }
}
