import { count } from "../../lib/format.ts";
import type { TableInfo } from "../../protocol.ts";

interface TableListProps {
  tables: TableInfo[];
  picked: string | null;
  onPick(table: string): void;
}

/** The tables, those of client documents apart. */
export function TableList({ tables, picked, onPick }: TableListProps) {
  const groups = [
    { title: "Tables", tables: tables.filter((table) => !table.isDocument) },
    { title: "Client documents", tables: tables.filter((table) => table.isDocument) },
  ];
  return (
    <nav class="side-list" aria-label="Tables">
      {groups
        .filter((group) => group.tables.length > 0)
        .map((group) => (
          <section key={group.title}>
            <h2>{group.title}</h2>
            <ul>
              {group.tables.map((table) => (
                <li key={table.name}>
                  <button
                    type="button"
                    aria-current={table.name === picked ? "true" : undefined}
                    onClick={() => onPick(table.name)}
                  >
                    <span class="mono">{table.name}</span>
                    <span class="side-list-note" title={`${count(table.rows)} rows now`}>
                      {count(table.rows)}
                    </span>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        ))}
    </nav>
  );
}
