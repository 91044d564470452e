// An event for every kind of schema that LiveStore's own library can declare. `kinds.json` has their args,
// as they are on the wire.
import { Events, Schema, State } from '@livestore/livestore'

const Tree = Schema.Struct({ value: Schema.Number, children: Schema.Array(Schema.suspend(() => Tree)) })

class Item extends Schema.Class('Item')({ id: Schema.String, at: Schema.Date }) {}

const schemas = {
  Void: Schema.Void,
  Empty: Schema.Struct({}),
  Null: Schema.Null,
  Text: Schema.String,
  Number: Schema.Number,
  Boolean: Schema.Boolean,
  Literal: Schema.Literal('a', 'b', 1, true),
  Enum: Schema.Enums({ Low: 'low', High: 2 }),
  Struct: Schema.Struct({
    id: Schema.String,
    nullable: Schema.NullOr(Schema.String),
    optional: Schema.optional(Schema.String),
    defaulted: Schema.optionalWith(Schema.Number, { default: () => 7 }),
    either: Schema.optionalWith(Schema.Union(Schema.String, Schema.Number), { exact: true }),
  }),
  Union: Schema.Union(
    Schema.TaggedStruct('Circle', { radius: Schema.Number }),
    Schema.TaggedStruct('Square', { side: Schema.Number }),
  ),
  Tuple: Schema.Tuple(Schema.String, Schema.Number, Schema.optionalElement(Schema.Boolean)),
  Record: Schema.Record({ key: Schema.String, value: Schema.Number }),
  Array: Schema.Array(Schema.Array(Schema.Number)),
  NonEmpty: Schema.NonEmptyArray(Schema.Number),
  Date: Schema.Date,
  Millis: Schema.DateFromNumber,
  DateTime: Schema.DateTimeUtc,
  Duration: Schema.DurationFromMillis,
  BigInt: Schema.BigInt,
  NumberFromString: Schema.NumberFromString,
  Bytes: Schema.Uint8ArrayFromBase64,
  Url: Schema.URL,
  Branded: Schema.String.pipe(Schema.brand('Id')),
  Template: Schema.TemplateLiteral('todo-', Schema.Number),
  Class: Item,
  Option: Schema.Option(Schema.String),
  Either: Schema.Either({ left: Schema.String, right: Schema.Number }),
  Map: Schema.Map({ key: Schema.String, value: Schema.Number }),
  Set: Schema.Set(Schema.Number),
  Tree,
  Any: Schema.Any,
  Halves: Schema.Any,
}

export const kinds = State.SQLite.table({
  name: 'kinds',
  columns: { id: State.SQLite.text({ primaryKey: true }), args: State.SQLite.text() },
})

export const kindEvents = Object.fromEntries(
  Object.entries(schemas).map(([kind, schema]) => [kind, Events.synced({ name: `k.${kind}`, schema })]),
)

// The state has the args as they are on the wire, so that every kind is decoded and encoded.
export const kindMaterializers = Object.fromEntries(
  Object.values(kindEvents).map(({ name, schema }) => [
    name,
    (value) => ({
      sql: 'INSERT INTO kinds (id, args) VALUES ($id, $args) ON CONFLICT (id) DO UPDATE SET args = excluded.args',
      bindValues: { id: name, args: JSON.stringify(Schema.encodeSync(schema)(value) ?? null) },
    }),
  ]),
)
