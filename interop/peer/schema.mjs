// The app that all clients of the matrix run: what `../client/src/app.rs` is in Rust.
import { Events, makeSchema, Schema, SessionIdSymbol, State } from '@livestore/livestore'
import { kindEvents, kindMaterializers, kinds } from './kinds.mjs'

const todos = State.SQLite.table({
  name: 'todos',
  columns: {
    id: State.SQLite.text({ primaryKey: true }),
    text: State.SQLite.text(),
    completed: State.SQLite.boolean({ default: false }),
  },
})

const samples = State.SQLite.table({
  name: 'samples',
  columns: {
    id: State.SQLite.text({ primaryKey: true }),
    text: State.SQLite.text(),
    at: State.SQLite.integer({ schema: Schema.DateFromNumber }),
    whole: State.SQLite.integer(),
    ratio: State.SQLite.real(),
    flag: State.SQLite.boolean(),
    nullable: State.SQLite.text({ nullable: true }),
    maybe: State.SQLite.text({ nullable: true }),
    nested: State.SQLite.json({ schema: Schema.Any }),
  },
})

const notes = State.SQLite.table({
  name: 'notes',
  columns: { id: State.SQLite.text({ primaryKey: true }), text: State.SQLite.text() },
})

const tags = State.SQLite.table({
  name: 'tags',
  columns: { id: State.SQLite.text({ primaryKey: true }), tag: State.SQLite.text() },
})

export const screen = State.SQLite.clientDocument({
  name: 'Screen',
  schema: Schema.Struct({ filter: Schema.String }),
  default: { id: SessionIdSymbol, value: { filter: 'all' } },
})

const old = {
  todoCreated: Events.synced({
    name: 'v1.TodoCreated',
    schema: Schema.Struct({ id: Schema.String, text: Schema.String }),
  }),
  todoCompleted: Events.synced({ name: 'v1.TodoCompleted', schema: Schema.Struct({ id: Schema.String }) }),
  sampled: Events.synced({
    name: 'v1.Sampled',
    schema: Schema.Struct({
      id: Schema.String,
      text: Schema.String,
      at: Schema.Date,
      whole: Schema.Number,
      ratio: Schema.Number,
      flag: Schema.Boolean,
      nullable: Schema.NullOr(Schema.String),
      maybe: Schema.optional(Schema.String),
      nested: Schema.Any,
    }),
  }),
  noted: Events.clientOnly({
    name: 'v1.Noted',
    schema: Schema.Struct({ id: Schema.String, text: Schema.String }),
  }),
  ...kindEvents,
}

const materialize = {
  'v1.TodoCreated': ({ id, text }) => todos.insert({ id, text, completed: false }),
  'v1.TodoCompleted': ({ id }) => todos.update({ completed: true }).where({ id }),
  'v1.Sampled': ({ nullable, maybe, ...rest }) =>
    samples.insert({ nullable, maybe: maybe ?? null, ...rest }),
  'v1.Noted': ({ id, text }) => notes.insert({ id, text }),
  ...kindMaterializers,
}

// Only the newer app knows tags.
const added = {
  todoTagged: Events.synced({
    name: 'v2.TodoTagged',
    schema: Schema.Struct({ id: Schema.String, tag: Schema.String }),
  }),
}

export const app = (version) => {
  const events = version === 'newer' ? { ...old, ...added } : old
  const tables = version === 'newer' ? { todos, samples, notes, kinds, screen, tags } : { todos, samples, notes, kinds, screen }
  const materializers = State.SQLite.materializers(
    events,
    version === 'newer'
      ? { ...materialize, 'v2.TodoTagged': ({ id, tag }) => tags.insert({ id, tag }) }
      : materialize,
  )
  const schema = makeSchema({ events, state: State.SQLite.makeState({ tables, materializers }) })
  return { schema, events: Object.fromEntries(Object.values(events).map((event) => [event.name, event])) }
}
