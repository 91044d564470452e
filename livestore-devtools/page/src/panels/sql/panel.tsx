import { cellKind, counted, micros } from "../../lib/format.ts";
import { useWorkbench } from "../../model/workbench.ts";
import type { Cell } from "../../protocol.ts";
import { Button, Segments } from "../../ui/controls.tsx";
import { DataGrid } from "../../ui/data-grid.tsx";
import { Empty, Failure } from "../../ui/states.tsx";
import { Editor } from "./editor.tsx";
import { MOST_ROWS, type SqlOutcome } from "./model.ts";
import { Plan } from "./plan.tsx";

export function SqlPanel() {
  const { sql, source } = useWorkbench();
  const chosen = source.chosen.value;
  const place =
    chosen.kind === "now"
      ? "the present state"
      : chosen.kind === "past"
        ? `the state after ${chosen.seq}`
        : `fork ${chosen.fork.id}`;
  return (
    <section class="panel-main" aria-labelledby="panel-title">
      <header class="panel-head">
        <h1 id="panel-title">SQL</h1>
        <span class="panel-note">reads {place}; it cannot write</span>
      </header>
      <Editor />
      <div class="toolbar">
        {sql.isRunning.value ? (
          <Button icon="close" tone="danger" onClick={() => sql.cancel()}>
            Cancel
          </Button>
        ) : (
          <Button
            icon="play"
            tone="main"
            title="Ctrl+Enter"
            disabled={sql.text.value.trim() === ""}
            onClick={() => void sql.run()}
          >
            Run
          </Button>
        )}
        {sql.isRunning.value && (
          <span class="panel-note" role="status">
            Running…
          </span>
        )}
        <History />
      </div>
      <Outcome outcome={sql.outcome.value} />
    </section>
  );
}

function History() {
  const { sql } = useWorkbench();
  const { history } = sql;
  if (history.value.length === 0) return null;
  return (
    <div class="sql-history">
      <select
        class="select"
        aria-label="What was run before"
        value=""
        onChange={(event) => {
          const picked = history.value[Number(event.currentTarget.value)];
          if (picked !== undefined) sql.text.value = picked;
          event.currentTarget.value = "";
        }}
      >
        <option value="">{counted(history.value.length, "statement")} run before</option>
        {history.value.map((statement, index) => (
          <option key={statement} value={index}>
            {statement.replace(/\s+/g, " ").slice(0, 90)}
          </option>
        ))}
      </select>
      <Button tone="quiet" onClick={() => sql.forget()}>
        Forget
      </Button>
    </div>
  );
}

function Outcome({ outcome }: { outcome: SqlOutcome | null }) {
  const { sql } = useWorkbench();
  if (!outcome) {
    return (
      <Empty icon="sql" title="Nothing has been run yet">
        Write a statement and press <kbd>Ctrl</kbd> <kbd>Enter</kbd>. With <kbd>Alt</kbd> <kbd>↑</kbd> you get the one
        before.
      </Empty>
    );
  }
  if (outcome.is === "failed") {
    return outcome.isCancelled ? (
      <Empty icon="close" title="It was cancelled" />
    ) : (
      <Failure error={new Error(outcome.message)} />
    );
  }
  const { result } = outcome;
  return (
    <>
      <div class="toolbar result-head">
        <Segments
          label="What to show"
          choices={[
            { value: "rows", label: "Rows" },
            { value: "plan", label: "Query plan" },
          ]}
          value={sql.view.value}
          onPick={(view) => {
            sql.view.value = view;
          }}
        />
        <span class="panel-note">
          {counted(result.rows.length, "row")} in {micros(result.micros)}, after <span class="mono">{result.seq}</span>
        </span>
        {result.truncated && <span class="badge pending">there are more than {counted(MOST_ROWS, "row")}</span>}
      </div>
      {sql.view.value === "plan" ? (
        <Plan steps={result.plan} />
      ) : (
        <div class="grid-area">
          <DataGrid
            label="Result"
            columns={result.columns.map((name, index) => ({ name, isNumeric: isNumeric(result.rows, index) }))}
            count={result.rows.length}
            at={(row) => result.rows[row]}
            position={sql.position}
            widths={sql.widths}
          />
          {result.rows.length === 0 && <Empty icon="sql" title="No rows" />}
        </div>
      )}
    </>
  );
}

/** SQL does not say of what type a result's columns are; the first rows do. */
function isNumeric(rows: Cell[][], column: number): boolean {
  const kinds = rows.slice(0, 50).map((row) => cellKind(row[column] ?? null));
  return kinds.includes("number") && kinds.every((kind) => kind === "number" || kind === "null");
}
