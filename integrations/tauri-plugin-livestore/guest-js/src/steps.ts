/** A step from an old list to a new one: a position is that in the list as it is when the step is taken. */
export type Step<R> =
  | ['insert', index: number, row: R]
  | ['remove', index: number]
  | ['update', index: number, row: R]
  | ['move', from: number, to: number]
  | ['reset', rows: R[]]

/** Returns the list after the steps. The list before is not changed. */
export function apply<R>(rows: readonly R[], steps: readonly Step<R>[]): R[] {
  let list = rows.slice()
  for (const step of steps) {
    switch (step[0]) {
      case 'insert':
        list.splice(step[1], 0, step[2])
        break
      case 'remove':
        list.splice(step[1], 1)
        break
      case 'update':
        list[step[1]] = step[2]
        break
      case 'move':
        list.splice(step[2], 0, ...list.splice(step[1], 1))
        break
      case 'reset':
        list = step[1].slice()
    }
  }
  return list
}
