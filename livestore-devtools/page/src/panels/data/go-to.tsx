import { useState } from "preact/hooks";
import { parseCell } from "../../lib/format.ts";
import { useWorkbench } from "../../model/workbench.ts";
import type { TableInfo } from "../../protocol.ts";
import { Button, TextInput } from "../../ui/controls.tsx";
import { ROW_HEIGHT } from "../../ui/data-grid.tsx";

/** Goes to a row by its key, however far down it is. */
export function GoTo({ table }: { table: TableInfo }) {
  const workbench = useWorkbench();
  const [texts, setTexts] = useState<string[]>([]);
  const [isMissing, setMissing] = useState(false);
  const key = table.columns.filter((column) => column.key > 0).sort((a, b) => a.key - b.key);
  if (key.length === 0) return null;
  const go = () => {
    const cells = key.map(({ sqlType }, index) => parseCell(texts[index] ?? "", sqlType));
    void workbench.attempt("The row cannot be looked for", async () =>
      setMissing(!(await workbench.data.goTo(cells, ROW_HEIGHT))),
    );
  };
  return (
    <div class="find-row" role="search" aria-label="Go to a row">
      {key.map(({ name }, index) => (
        <TextInput
          key={name}
          label={`Go to the row whose ${name} is`}
          placeholder={name}
          mono
          value={texts[index] ?? ""}
          onInput={(text) => {
            setMissing(false);
            setTexts(key.map((_, other) => (other === index ? text : (texts[other] ?? ""))));
          }}
          onEnter={go}
        />
      ))}
      <Button onClick={go}>Go to</Button>
      <span class="panel-note" role="status">
        {isMissing && "No row has this key."}
      </span>
    </div>
  );
}
