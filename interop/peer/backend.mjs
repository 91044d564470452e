// LiveStore's own sync backend, on a free port: node backend.mjs DATA_DIR TOKEN
import { Log, LogLevel, Miniflare } from 'miniflare'

const [data, token] = process.argv.slice(2)
const backend = new Miniflare({
  host: '127.0.0.1',
  port: 0,
  modules: true,
  scriptPath: new URL('./worker.bundle.js', import.meta.url).pathname,
  cf: false,
  compatibilityDate: '2025-05-07',
  compatibilityFlags: ['enable_request_signal', 'nodejs_compat'],
  durableObjects: { SYNC_BACKEND_DO: { className: 'SyncBackendDO', useSQLite: true } },
  durableObjectsPersist: data,
  bindings: { TOKEN: token },
  log: new Log(LogLevel.ERROR),
  handleRuntimeStdio: (out, err) => {
    out.resume()
    err.pipe(process.stderr)
  },
})
const url = await backend.ready
console.log(`listening on ${url.host}`)

// Whoever started it has gone, or wants it gone.
const stop = async () => {
  await backend.dispose()
  process.exit(0)
}
process.on('SIGTERM', stop)
process.stdin.on('end', stop).resume()
