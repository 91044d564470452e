/**
 * What the app's types are. Register them once, so that names, args, parameters and values are checked:
 *
 * ```typescript
 * import type { Documents, Events, Todo } from './livestore' // by `Types` of the plugin
 *
 * declare module 'tauri-plugin-livestore-api' {
 *   interface Register {
 *     events: Events
 *     documents: Documents
 *     queries: {
 *       todos: { params: 'all' | 'active'; list: Todo }
 *       open: { value: number }
 *     }
 *   }
 * }
 * ```
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export interface Register {}

type Registered<K extends string> = Register extends { [key in K]: infer T } ? T : Record<string, any>

/** The args of the events, by their names. */
export type Events = Registered<'events'>

/** The client documents, by their names. */
export type Documents = Registered<'documents'>

/** The queries, by their names: `params`, and the rows of a `list` or another `value`. */
export type Queries = Registered<'queries'>

/** An event: its name, and its args. */
export type AnyEvent = { [N in keyof Events & string]: readonly [N, Events[N]] }[keyof Events & string]

/** The parameters of a query; `null` if it has none. */
export type Params<Q> = Q extends { params: infer P } ? P : null

/** A row of a query that is a list. */
export type Row<Q> = Q extends { list: infer R } ? R : unknown

/** The value of a query. */
export type Value<Q> = Q extends { list: infer R } ? readonly R[] : Q extends { value: infer V } ? V : unknown

/** How far the store is synced. */
export interface SyncStatus {
  /** The connection. `none`: the store has no backend. */
  network:
    | 'connecting'
    | 'loginRequired'
    | 'none'
    | 'offline'
    | 'online'
    | 'other'
    | 'paused'
    | 'payloadFailed'
    | 'pulling'
    | 'readOnly'
    | 'stopped'
  /** Why it is not `online`, where there is a reason. */
  reason: string | null
  /** Whether the backend has every event, and the store every event of the backend. */
  isSynced: boolean
  /** The number of events that are to be pushed. */
  pending: number
  /** The number of events that the backend has refused for good. */
  refused: number
  /** The time of the next attempt to connect or to push. */
  nextAttempt: string | null
}
