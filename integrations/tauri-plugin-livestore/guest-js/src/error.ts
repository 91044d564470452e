/** Why something failed. `denied` is Tauri's own answer: the window lacks a permission, or the plugin is not there. */
export type ErrorKind =
  | 'args'
  | 'commit'
  | 'denied'
  | 'fields'
  | 'pageGone'
  | 'panic'
  | 'params'
  | 'query'
  | 'unknownDocument'
  | 'unknownEvent'
  | 'unknownQuery'

/** An error of the store, or of a query. Its message has all causes. */
export class LiveStoreError extends Error {
  override readonly name = 'LiveStoreError'

  constructor(
    readonly kind: ErrorKind,
    message: string
  ) {
    super(message)
  }

  /** Returns the error that the plugin, or Tauri, has sent. */
  static of(error: unknown): LiveStoreError {
    if (error instanceof LiveStoreError) return error
    const { kind, message } = Object(error) as { kind?: ErrorKind; message?: string }
    return new LiveStoreError(kind ?? 'denied', message ?? String(error))
  }
}
