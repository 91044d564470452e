import type { TableInfo } from "../../protocol.ts";
import { CopyButton } from "../../ui/controls.tsx";

export function SchemaView({ table }: { table: TableInfo }) {
  return (
    <div class="scroll padded">
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">Type</th>
            <th scope="col">Null</th>
            <th scope="col">Primary key</th>
          </tr>
        </thead>
        <tbody>
          {table.columns.map((column) => (
            <tr key={column.name}>
              <td class="mono">{column.name}</td>
              <td class="mono">{column.sqlType}</td>
              <td>{column.nullable ? "can be null" : "never"}</td>
              <td>{column.key > 0 ? `part ${column.key}` : "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="block-head">
        <h2>SQL</h2>
        <CopyButton text={table.sql} label="Copy" />
      </div>
      <pre class="code" tabIndex={0}>
        {table.sql}
      </pre>
    </div>
  );
}
