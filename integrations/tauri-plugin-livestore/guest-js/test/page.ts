/** A page in node: Tauri's own mocks, and the plugin's side of them. */

import { clearMocks, mockIPC } from '@tauri-apps/api/mocks'

Object.assign(globalThis, { window: globalThis })

type Args = Record<string, any>
type Handler = (args: Args) => unknown

interface Internals {
  runCallback(id: number, message: unknown): void
  callbacks: Map<number, unknown>
}

/** The plugin, as the page sees it. */
export class Plugin {
  /** All commands so far. */
  readonly calls: [command: string, args: Args][] = []
  readonly #handlers: Record<string, Handler>
  #lastId = 0

  constructor(handlers: Record<string, Handler> = {}) {
    this.#handlers = { live: () => ++this.#lastId, ...handlers }
    clearMocks()
    mockIPC((command, args) => {
      const name = command.replace('plugin:livestore|', '')
      this.calls.push([name, args as Args])
      return this.#handlers[name]?.(args as Args)
    })
  }

  /** The channel of the nth live value. */
  channel(n = 0): { send(message: unknown): void; end(): void } {
    const shown = this.calls.filter(([name]) => name === 'live')[n]
    if (!shown) throw new Error('nothing is shown')
    const internals = (globalThis as unknown as { __TAURI_INTERNALS__: Internals }).__TAURI_INTERNALS__
    const id = shown[1]['channel'].id
    let index = this.#sent.get(id) ?? 0
    return {
      send: (message) => {
        internals.runCallback(id, { index, message: JSON.parse(JSON.stringify(message)) })
        this.#sent.set(id, ++index)
      },
      end: () => internals.runCallback(id, { index, end: true })
    }
  }

  readonly #sent = new Map<number, number>()

  /** The commands so far, without their args. */
  get commands(): string[] {
    return this.calls.map(([name]) => name)
  }
}

/** Lets promises that are due go on. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve))
}
