// Calls the server with the official SDK: node sdk.mjs FOLDER_OF_THE_SDK LIVESTORE DIRECTORY
import { pathToFileURL } from 'node:url'

const [sdk, command, directory] = process.argv.slice(2)
const load = (path) => import(pathToFileURL(`${sdk}/dist/esm/${path}`).href)
const { Client } = await load('client/index.js')
const { StdioClientTransport } = await load('client/stdio.js')

const client = new Client({ name: 'test', version: '1.0.0' })
await client.connect(new StdioClientTransport({ command, args: ['mcp', directory] }))
const { tools } = await client.listTools()
const call = (name, args) => client.callTool({ name, arguments: args })
await call('livestore_instance_connect', { storeId: 'todos' })
const sql = 'SELECT text FROM todo WHERE id = ?'
const found = await call('livestore_instance_query', { sql, bindValues: ['todo-7'] })
const wrong = await call('livestore_instance_query', { sql: 7 })
if (!wrong.isError) throw new Error('a wrong argument is accepted')
const { text } = found.structuredContent.rows[0]
console.log(`${tools.length} tools, todo-7 is ${text}, a wrong argument is explained`)
await client.close()
