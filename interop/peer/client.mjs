// A LiveStore client driven over stdin and stdout: a JSON object a line, an answer a line.
// `src/client.rs` says what the commands are.
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { makeAdapter } from '@livestore/adapter-node'
import { createStorePromise, makeShutdownDeferred, Schema } from '@livestore/livestore'
import { makeHttpSync, makeWsSync } from '@livestore/sync-cf/client'
import { Deferred, Effect, LogLevel } from '@livestore/utils/effect'
import { app, screen } from './schema.mjs'

let store
let opened

const commands = {
  async open({ url, transport, storeId, clientId, payload, dir, version }) {
    const backend =
      transport === 'http'
        ? makeHttpSync({ url: `http://${url}`, livePull: { pollInterval: 200 } })
        : makeWsSync({ url: `ws://${url}` })
    opened = {
      ...app(version),
      log: `${dir}/${storeId}/eventlog@6.db`,
      shutdown: Effect.runSync(makeShutdownDeferred),
    }
    store = await createStorePromise({
      adapter: makeAdapter({
        storage: { type: 'fs', baseDirectory: dir },
        clientId,
        // What a Rust client does by default: stop, and delete nothing.
        sync: { backend, onBackendIdMismatch: 'shutdown' },
      }),
      schema: opened.schema,
      storeId,
      syncPayload: payload,
      shutdownDeferred: opened.shutdown,
      disableDevtools: true,
      logLevel: LogLevel.None,
    })
  },

  commit({ events }) {
    store.commit(...events.map(({ name, args }) => encoded(name, args)))
  },

  async status() {
    if (stopped()) return { sync: 'stopped', why: String(await why()) }
    const { leader, session } = await store._dev.syncStates()
    // The session follows the leader: what it has not handed over yet is pending too.
    const pending = new Set([...leader.pending, ...session.pending].filter(isSynced).map((e) => e.seqNum.global))
    return {
      sync: 'on',
      local: session.localHead.global,
      upstream: Math.min(leader.upstreamHead.global, session.localHead.global),
      pending: pending.size,
    }
  },

  log() {
    const db = new DatabaseSync(opened.log, { readOnly: true })
    try {
      return db
        .prepare(
          `SELECT seqNumGlobal AS "global", seqNumClient AS "client", seqNumRebaseGeneration AS "generation",
             parentSeqNumGlobal AS "parent", name, argsJson AS "args", clientId, sessionId
           FROM eventlog ORDER BY 1, 2, 3`,
        )
        .all()
    } finally {
      db.close()
    }
  },

  state() {
    const rows = (query) => store.query({ query, bindValues: [] })
    const samples = rows('SELECT * FROM samples ORDER BY id')
    const tags = opened.events['v2.TodoTagged'] ? rows('SELECT * FROM tags ORDER BY id') : []
    return {
      todos: rows('SELECT * FROM todos ORDER BY id'),
      samples: samples.map((row) => ({ ...row, ratio: bits(row.ratio), nested: JSON.parse(row.nested) })),
      notes: rows('SELECT * FROM notes ORDER BY id'),
      kinds: rows('SELECT * FROM kinds ORDER BY id'),
      tags,
    }
  },

  async close() {
    if (!stopped()) await store.shutdownPromise()
    store = undefined
  },
}

const encoded = (name, json) => {
  const args = json === '' ? undefined : JSON.parse(json)
  if (name === 'Screen') return screen.set(args)
  const event = opened.events[name]
  return event(Schema.decodeUnknownSync(event.schema)(args))
}

const isSynced = (event) => event.seqNum.client === 0

const stopped = () => Effect.runSync(Deferred.isDone(opened.shutdown))

const why = () => Effect.runPromise(Effect.merge(Deferred.await(opened.shutdown)))

// A float exactly, whatever way a language writes it.
const bits = (float) => {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, float)
  return view.getBigUint64(0).toString(16)
}

for (const level of ['log', 'debug', 'info', 'warn']) console[level] = console.error
process.on('uncaughtException', (error) => console.error(error))
process.on('unhandledRejection', (error) => console.error(error))

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...args } = JSON.parse(line)
  let answer
  try {
    answer = { ok: (await commands[name](args)) ?? null }
  } catch (error) {
    answer = { error: String(error?.stack ?? error) }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
process.exit(0)
