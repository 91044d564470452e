/** The types of an app, as its page registers them. */

export interface Item {
  id: number
  title: string
  place: number
  done: boolean
}

declare module '../src/index.js' {
  interface Register {
    events: {
      'v1.ItemAdded': { id: number; title: string; place: number }
      'v1.ItemDone': { id: number }
    }
    documents: { Screen: { draft: string; only_open: boolean } }
    queries: {
      items: { params: { onlyOpen: boolean }; list: Item }
      open: { value: number }
    }
  }
}
