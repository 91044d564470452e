import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import {
  apply,
  commit,
  commitAll,
  document,
  live,
  query,
  syncStatus,
  type LiveStoreError,
  type Step
} from '../src/index.js'
import type { Item } from './app.js'
import { Plugin, turn } from './page.js'

const item = (id: number): Item => ({ id, title: `item ${id}`, place: id, done: false })

/** The messages of the plugin for one story, which a test of the plugin's has written. */
const story: { steps: Step<Item>[]; rows: Item[] }[] = JSON.parse(
  readFileSync(new URL('../../test/messages.json', import.meta.url), 'utf8')
)

test('rows are inserted, updated, moved and removed', () => {
  const plugin = new Plugin()
  const seen: (readonly Item[])[] = []
  live('items', { onlyOpen: false }, (items) => seen.push(items))
  for (const { steps, rows } of story) {
    plugin.channel().send({ steps })
    assert.deepEqual(seen.at(-1), rows)
  }
  assert.equal(seen.length, story.length)
  assert.ok(story.length >= 5)
})

test('of 100,000 rows only the changed one is another object', () => {
  const plugin = new Plugin()
  const seen: (readonly Item[])[] = []
  const changes: number[] = []
  live('items', { onlyOpen: false }, (items, steps) => {
    seen.push(items)
    changes.push(steps.length)
  })
  plugin.channel().send({ steps: [['reset', Array.from({ length: 100_000 }, (_, id) => item(id))]] })
  plugin.channel().send({ steps: [['update', 50_000, { ...item(50_000), title: 'far away' }]] })
  const [before, after] = seen
  assert.deepEqual(changes, [1, 1])
  assert.equal(after?.[50_000]?.title, 'far away')
  assert.equal(before?.[50_000]?.title, 'item 50000')
  assert.equal(before?.filter((row, at) => row !== after?.[at]).length, 1)
})

test('parameters of a query change', async () => {
  const plugin = new Plugin()
  const seen: (readonly Item[])[] = []
  const items = live('items', { onlyOpen: false }, (items) => seen.push(items))
  plugin.channel(0).send({ steps: [['reset', [item(1), item(2)]]] })
  items.set({ onlyOpen: true })
  plugin.channel(0).send({ steps: [['remove', 0]] })
  plugin.channel(1).send({ steps: [['reset', [item(2)]]] })
  await turn()
  assert.deepEqual(seen, [[item(1), item(2)], [item(2)]])
  assert.deepEqual(plugin.calls.at(1)?.[1]['params'], { onlyOpen: true })
  assert.deepEqual(plugin.calls.at(-1), ['end', { id: 1 }])
})

test('what is stopped ends, even before it has begun', async () => {
  const plugin = new Plugin()
  const items = live('items', { onlyOpen: false }, () => assert.fail('it was stopped'))
  items.stop()
  items.stop()
  plugin.channel().send({ steps: [['reset', []]] })
  await turn()
  assert.deepEqual(plugin.commands, ['live', 'end'])
})

test('the error of a query is shown, and ends', () => {
  const plugin = new Plugin()
  const errors: LiveStoreError[] = []
  const seen: (readonly Item[])[] = []
  const onError = (error: LiveStoreError) => errors.push(error)
  live('items', { onlyOpen: false }, (items) => seen.push(items), onError)
  plugin.channel().send({ steps: [['reset', [item(1)]]] })
  plugin.channel().send({ steps: [], error: { kind: 'query', message: 'item.place: it is NULL' } })
  assert.equal(errors[0]?.kind, 'query')
  assert.match(errors[0]?.message ?? '', /place/)
  plugin.channel().send({ steps: [] })
  assert.deepEqual(seen, [[item(1)], [item(1)]])
})

test('a query that is refused is an error', async () => {
  const refused = [{ kind: 'params', message: 'not these' }, 'livestore.live not allowed']
  for (const [n, kind] of ['params', 'denied'].entries()) {
    new Plugin({ live: () => Promise.reject(refused[n]) })
    const errors: LiveStoreError[] = []
    live('open', null, () => assert.fail('it was refused'), (error) => errors.push(error))
    await turn()
    assert.equal(errors[0]?.kind, kind)
  }
})

test('an error that the page throws harms nothing', (t) => {
  const plugin = new Plugin()
  const seen: number[] = []
  // Tauri throws it again, where the page's own handler of errors sees it.
  const rethrow = t.mock.method(globalThis, 'queueMicrotask', () => undefined)
  live('open', null, (open) => {
    seen.push(open)
    if (open === 1) throw new Error("the page's own mistake")
  })
  plugin.channel().send({ value: 1 })
  plugin.channel().send({ value: 2 })
  assert.deepEqual(seen, [1, 2])
  assert.equal(rethrow.mock.callCount(), 1)
})

test('a client document is read and written', async () => {
  const state = { draft: '', only_open: true }
  const plugin = new Plugin({
    set_document: ({ fields }) => void Object.assign(state, fields),
    query: () => ({ ...state })
  })
  const seen: unknown[] = []
  const screen = document('Screen', (screen) => seen.push(screen))
  plugin.channel().send({ value: state })
  await screen.set({ draft: 'milk' })
  assert.deepEqual(plugin.calls[1], ['set_document', { document: 'Screen', fields: { draft: 'milk' } }])
  assert.deepEqual(seen.at(-1), { draft: 'milk', only_open: true })
  plugin.channel().send({ value: { draft: 'bread', only_open: true } })
  assert.deepEqual(seen.at(-1), { draft: 'bread', only_open: true })
  screen.stop()
  await turn()
  assert.equal(plugin.commands.at(-1), 'end')
})

test('what is typed is not overwritten by what was typed before', async () => {
  let draft = ''
  const plugin = new Plugin({
    set_document: async ({ fields }) => {
      await turn()
      draft = fields.draft
      plugin.channel().send({ value: { draft, only_open: false } })
    },
    query: () => ({ draft, only_open: false })
  })
  const shown: string[] = []
  const screen = document('Screen', ({ draft }) => shown.push(draft))
  await Promise.all(['m', 'mi', 'mil', 'milk'].map((draft) => screen.set({ draft })))
  assert.deepEqual(shown, ['milk'])
})

test('a field that is refused is shown as it is', async () => {
  new Plugin({
    set_document: () => Promise.reject({ kind: 'fields', message: 'too long' }),
    query: () => ({ draft: 'milk', only_open: false })
  })
  const shown: string[] = []
  const screen = document('Screen', ({ draft }) => shown.push(draft))
  await assert.rejects(screen.set({ draft: 'x' }), { kind: 'fields' })
  assert.deepEqual(shown, ['milk'])
})

test('commits are in order, and one that fails holds nothing up', async () => {
  const pending: { resolve(numbers: string[]): void; reject(error: unknown): void }[] = []
  const plugin = new Plugin({
    commit: () => new Promise((resolve, reject) => pending.push({ resolve, reject }))
  })
  const first = commit('v1.ItemAdded', { id: 1, title: 'Milk', place: 1 })
  const second = commitAll([
    ['v1.ItemDone', { id: 1 }],
    ['v1.ItemDone', { id: 1 }]
  ])
  await turn()
  assert.deepEqual(plugin.commands, ['commit'])
  pending[0]?.reject({ kind: 'commit', message: 'it exists' })
  await assert.rejects(first, { kind: 'commit', message: 'it exists' })
  await turn()
  pending[1]?.resolve(['e2', 'e3'])
  assert.deepEqual(await second, ['e2', 'e3'])
  assert.deepEqual(plugin.calls[1]?.[1]['events'], Array(2).fill({ name: 'v1.ItemDone', args: { id: 1 } }))
})

test('a value is read once', async () => {
  const plugin = new Plugin({ query: () => [item(1)] })
  const items = await query('items', { onlyOpen: true })
  assert.equal(items[0]?.title, 'item 1')
  assert.deepEqual(plugin.calls, [['query', { query: 'items', params: { onlyOpen: true } }]])
})

test('how far the store is synced is shown', () => {
  const plugin = new Plugin()
  const seen: number[] = []
  syncStatus((status) => seen.push(status.pending))
  plugin.channel().send({ value: { network: 'offline', pending: 3 } })
  assert.deepEqual(seen, [3])
})

test('a page says which one it is', () => {
  Object.assign(globalThis, { __TAURI_LIVESTORE_PAGE__: '0.25' })
  const plugin = new Plugin()
  live('open', null, () => undefined)
  assert.equal(plugin.calls[0]?.[1]['page'], '0.25')
})

test('a list before is not changed by steps', () => {
  const before = Object.freeze([1, 2, 3])
  assert.deepEqual(apply(before, [['move', 0, 2], ['remove', 0], ['insert', 1, 9]]), [3, 9, 1])
})

// What does not compile.
export function wrong(): void {
  // @ts-expect-error: there is no such event.
  void commit('v1.ItemAded', { id: 1 })
  // @ts-expect-error: a title is missing.
  void commit('v1.ItemAdded', { id: 1, place: 1 })
  // @ts-expect-error: there is no such field.
  void document('Screen', () => undefined).set({ drafts: '' })
  // @ts-expect-error: the parameter is missing.
  live('items', null, () => undefined)
  // @ts-expect-error: the value is a number.
  live('open', null, (open: string) => open)
}
