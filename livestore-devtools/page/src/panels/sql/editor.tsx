import { useRef } from "preact/hooks";
import { useWorkbench } from "../../model/workbench.ts";
import { sqlTokens } from "./tokens.ts";

/** A field for SQL: what is written is drawn in colours behind a text area of which only the caret is seen. */
export function Editor() {
  const { sql, store } = useWorkbench();
  const drawn = useRef<HTMLPreElement>(null);
  const place = useRef(-1);
  const text = sql.text.value;
  const recall = (by: number) => {
    const next = Math.min(Math.max(-1, place.current + by), sql.history.value.length - 1);
    place.current = next;
    sql.text.value = next < 0 ? "" : (sql.history.value[next] ?? "");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      place.current = -1;
      void sql.run();
    } else if (event.altKey && event.key === "ArrowUp") recall(1);
    else if (event.altKey && event.key === "ArrowDown") recall(-1);
    else if (event.key === "Escape" && sql.isRunning.value) sql.cancel();
    else return;
    event.preventDefault();
  };
  const example = store.schema.value.tables[0]?.name;
  return (
    <div class="editor">
      <pre ref={drawn} aria-hidden="true">
        {sqlTokens(text).map((token, index) => (
          <span key={index} class={`sql-${token.kind}`}>
            {token.text}
          </span>
        ))}
        {"\n"}
      </pre>
      <textarea
        aria-label="SQL"
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        placeholder={example ? `SELECT * FROM ${example} LIMIT 100` : "SELECT 1"}
        value={text}
        onInput={(event) => {
          sql.text.value = event.currentTarget.value;
        }}
        onScroll={(event) => {
          if (!drawn.current) return;
          drawn.current.scrollTop = event.currentTarget.scrollTop;
          drawn.current.scrollLeft = event.currentTarget.scrollLeft;
        }}
        onKeyDown={onKeyDown}
      />
    </div>
  );
}
