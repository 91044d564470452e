// Written by a test of the app's: `LIVESTORE_SCHEMA=accept cargo test`.

export type Filter = 'active' | 'all' | 'completed'

export type Todo = { completed: boolean; createdAt: string; id: string; text: string }

export interface Events {
  'v1.TodoClearedCompleted': { deletedAt: string }
  'v1.TodoCompleted': { id: string }
  'v1.TodoCreated': { createdAt: string; id: string; text: string }
  'v1.TodoDeleted': { deletedAt: string; id: string }
  'v1.TodoRestored': { id: string }
  'v1.TodoUncompleted': { id: string }
}

export interface Documents {
  UiState: { filter: Filter; newTodoText: string }
}
