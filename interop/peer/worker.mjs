import { env } from 'cloudflare:workers'
import { makeDurableObject, makeWorker } from '@livestore/sync-cf/cf-worker'

// `enableCORS` alone is not enough for a page: answers over HTTP need the header, too.
export class SyncBackendDO extends makeDurableObject({
  http: { responseHeaders: { 'Access-Control-Allow-Origin': '*' } },
}) {}

export default makeWorker({
  syncBackendBinding: 'SYNC_BACKEND_DO',
  enableCORS: true,
  validatePayload: (payload) => {
    if (payload?.authToken !== env.TOKEN) throw new Error('Invalid auth token')
  },
})
