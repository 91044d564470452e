/**
 * LiveStore in a page of a Tauri app: commits, live queries and client documents of the store that the plugin
 * `tauri-plugin-livestore` has in Rust.
 *
 * @module
 */

import { Channel, invoke } from '@tauri-apps/api/core'
import { apply, type Step } from './steps.js'
import { LiveStoreError } from './error.js'
import type { AnyEvent, Documents, Events, Params, Queries, Row, SyncStatus, Value } from './types.js'

export { apply, type Step } from './steps.js'
export { LiveStoreError, type ErrorKind } from './error.js'
export type * from './types.js'

/** What is shown, until it is stopped. */
export interface Live<P> {
  /** Shows the query with other parameters. The value stays until theirs is there. */
  set(params: P): void
  /** Ends it. If nobody else shows the query, it is no longer kept up to date. */
  stop(): void
}

/** A client document that is shown and edited. */
export interface LiveDocument<D> {
  /** Changes these fields. The others stay what they are. */
  set(fields: Partial<D>): Promise<void>
  stop(): void
}

type OnError = (error: LiveStoreError) => void

/**
 * Shows a query that the app has registered, by its name. `onChange` is called with the value as it is now, and after
 * each change. Of a list, the rows that have not changed are the same objects as before, and `steps` says how the
 * list before became this one.
 *
 * While the query fails, `onError` is called instead, and the last value stays. If it has failed from the start, nothing
 * more is sent: show it again, or {@link Live.set} other parameters.
 *
 * ```typescript
 * const todos = live('todos', 'active', (todos) => render(todos))
 * todos.set('completed')
 * todos.stop()
 * ```
 */
export function live<N extends keyof Queries & string>(
  query: N,
  params: Params<Queries[N]>,
  onChange: (value: Value<Queries[N]>, steps: readonly Step<Row<Queries[N]>>[]) => void,
  onError: OnError = report
): Live<Params<Queries[N]>> {
  const start = (params: unknown) => show(query, params, onChange as OnValue, onError)
  let stop = start(params)
  return {
    set(params) {
      stop()
      stop = start(params)
    },
    stop: () => stop()
  }
}

/** Returns the value of a query that the app has registered, once. */
export async function query<N extends keyof Queries & string>(
  query: N,
  params: Params<Queries[N]>
): Promise<Value<Queries[N]>> {
  return call('query', { query, params: params ?? null })
}

/**
 * Commits an event, by its name. Everything that shows what it changes is updated.
 *
 * @returns the number of the event
 */
export async function commit<N extends keyof Events & string>(name: N, args: Events[N]): Promise<string> {
  const [number] = await commitAll([[name, args] as AnyEvent])
  return number ?? ''
}

/**
 * Commits several events as one: all of them happen, or none.
 *
 * @returns the numbers of the events
 */
export function commitAll(events: readonly AnyEvent[]): Promise<string[]> {
  return inOrder(() => call('commit', { events: events.map(([name, args]) => ({ name, args })) }))
}

/**
 * Shows a client document, and edits it. While the page sets fields, `onChange` is not called: what arrives then is older
 * than what the user types. Afterwards it is called with the document as it is.
 *
 * ```typescript
 * const ui = document('UiState', (state) => (input.value = state.newTodoText))
 * input.oninput = () => ui.set({ newTodoText: input.value })
 * ```
 */
export function document<N extends keyof Documents & string>(
  name: N,
  onChange: (document: Documents[N]) => void,
  onError: OnError = report
): LiveDocument<Documents[N]> {
  let pending = 0
  let isStopped = false
  const onValue: OnValue = (value) => {
    if (pending === 0) onChange(value as Documents[N])
  }
  const stop = show(name, null, onValue, onError)
  const showOutcome = async () => {
    try {
      const value = pending === 1 && !isStopped ? await call<Documents[N]>('query', { query: name, params: null }) : null
      if (value !== null && pending === 1 && !isStopped) onChange(value)
    } finally {
      pending--
    }
  }
  return {
    set(fields) {
      pending++
      return inOrder(() => call<void>('set_document', { document: name, fields }).finally(showOutcome))
    },
    stop() {
      isStopped = true
      stop()
    }
  }
}

/** Shows how far the store is synced. Returns what ends it. */
export function syncStatus(onChange: (status: SyncStatus) => void, onError: OnError = report): () => void {
  return show('sync_status', null, onChange as OnValue, onError)
}

type OnValue = (value: unknown, steps: readonly Step<unknown>[]) => void

/** What the plugin sends. */
type Message = { steps?: Step<unknown>[]; value?: unknown; error?: unknown }

function show(query: string, params: unknown, onValue: OnValue, onError: OnError): () => void {
  let isStopped = false
  let rows: readonly unknown[] = []
  const channel = new Channel<Message>((message) => {
    if (isStopped) return
    if (message.steps) rows = apply(rows, message.steps)
    if (message.error) onError(LiveStoreError.of(message.error))
    else if (message.steps) onValue(rows, message.steps)
    else onValue(message.value, [])
  })
  const page = (globalThis as { __TAURI_LIVESTORE_PAGE__?: string }).__TAURI_LIVESTORE_PAGE__ ?? null
  const id = call<number>('live', { page, query, params: params ?? null, channel })
  id.catch((error) => {
    if (!isStopped) onError(error)
  })
  return () => {
    if (isStopped) return
    isStopped = true
    id.then((id) => call('end', { id })).catch(() => {
      // It has never begun.
    })
  }
}

async function call<T>(command: string, args: Record<string, unknown>): Promise<T> {
  try {
    return await invoke<T>(`plugin:livestore|${command}`, args)
  } catch (error) {
    throw LiveStoreError.of(error)
  }
}

let last: Promise<unknown> = Promise.resolve()

/** Tauri may run commands in any order: what is committed waits for what was committed before. */
function inOrder<T>(run: () => Promise<T>): Promise<T> {
  const result = last.then(run)
  last = result.catch(() => undefined)
  return result
}

function report(error: LiveStoreError): void {
  console.error(error)
}
