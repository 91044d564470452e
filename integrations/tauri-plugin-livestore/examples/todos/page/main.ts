import { commit, document as clientDocument, commitAll, live, type LiveStoreError } from 'tauri-plugin-livestore-api'
import type { Documents, Events, Filter, Todo } from './livestore'

declare module 'tauri-plugin-livestore-api' {
  interface Register {
    events: Events
    documents: Documents
    queries: { todos: { params: Filter; list: Todo }; open: { value: number } }
  }
}

const element = <T extends Element>(selector: string): T => {
  const found = document.querySelector<T>(selector)
  if (!found) throw new Error(`the page has no ${selector}`)
  return found
}
const [input, list, filters] = [element<HTMLInputElement>('input'), element('ul'), element<HTMLSelectElement>('select')]
const show = (error: LiveStoreError): void => {
  element('[role=alert]').textContent = error.message
}

/** One line of the list: what the row shows is made anew when the row has changed. */
function line(todo: Todo): HTMLLIElement {
  const item = document.createElement('li')
  const done = document.createElement('input')
  done.type = 'checkbox'
  done.checked = todo.completed
  done.onchange = () => void commit(done.checked ? 'v1.TodoCompleted' : 'v1.TodoUncompleted', { id: todo.id }).catch(show)
  const text = document.createElement('span')
  text.textContent = todo.text
  text.className = todo.completed ? 'completed' : ''
  item.append(done, text)
  return item
}

const todos = live(
  'todos',
  'all',
  (_, steps) => {
    for (const step of steps) {
      const at = (index: number) => list.children[index] ?? null
      if (step[0] === 'reset') list.replaceChildren(...step[1].map(line))
      else if (step[0] === 'insert') list.insertBefore(line(step[2]), at(step[1]))
      else if (step[0] === 'update') at(step[1])?.replaceWith(line(step[2]))
      else if (step[0] === 'remove') at(step[1])?.remove()
      else {
        const moved = at(step[1])
        moved?.remove()
        if (moved) list.insertBefore(moved, at(step[2]))
      }
    }
  },
  show
)
live('open', null, (open) => (element('output').textContent = `${open} to do`), show)

let shown: Filter = 'all'
const ui = clientDocument(
  'UiState',
  ({ newTodoText, filter }) => {
    if (input.value !== newTodoText) input.value = newTodoText
    filters.value = filter
    if (filter !== shown) todos.set((shown = filter))
  },
  show
)
filters.append(...(['all', 'active', 'completed'] as const).map((filter) => new Option(filter)))
filters.onchange = () => void ui.set({ filter: filters.value as Filter }).catch(show)
input.oninput = () => void ui.set({ newTodoText: input.value }).catch(show)
element<HTMLFormElement>('form').onsubmit = (event) => {
  event.preventDefault()
  const created = { id: crypto.randomUUID(), text: input.value, createdAt: new Date().toISOString() }
  commitAll([['v1.TodoCreated', created]]).then(() => ui.set({ newTodoText: '' })).catch(show)
}
