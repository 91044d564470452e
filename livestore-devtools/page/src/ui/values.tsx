import { cellKind, cellNote, cellText, dateOf, isSameCell } from "../lib/format.ts";
import { jsonTokens } from "../lib/json.ts";
import type { Cell, EventKind, Json, RowChange } from "../protocol.ts";

/** A value of a column, in one line. */
export function CellView({ cell }: { cell: Cell }) {
  const note = cellNote(cell);
  return (
    <span class={`cell ${cellKind(cell)}`} title={dateOf(cell) ?? undefined}>
      {cellText(cell)}
      {note && <span class="cell-note">{note}</span>}
    </span>
  );
}

export function JsonView({ value }: { value: Json }) {
  return (
    <pre class="code json" tabIndex={0}>
      {jsonTokens(value).map((token, index) => (
        <span key={index} class={`json-${token.kind}`}>
          {token.text}
        </span>
      ))}
    </pre>
  );
}

const KINDS: { [K in EventKind]: { label: string; meaning: string } } = {
  confirmed: { label: "confirmed", meaning: "Its place in the log is final." },
  pending: { label: "pending", meaning: "It has no place in the backend's order yet." },
  clientOnly: { label: "client-only", meaning: "It never leaves its client." },
  quarantined: { label: "quarantined", meaning: "It could not be applied; it is kept, and has no effect." },
};

export function KindBadge({ kind }: { kind: EventKind }) {
  return (
    <span class={`badge ${kind}`} title={KINDS[kind].meaning}>
      {KINDS[kind].label}
    </span>
  );
}

interface ChangeProps {
  columns: string[];
  /** The columns of the primary key, to say which row it is. */
  keys: string[];
  change: RowChange;
}

/** A row before and after: all of it if it is new or gone, else what differs. */
export function ChangeView({ columns, keys, change: { table, before, after } }: ChangeProps) {
  const kind = before === null ? "added" : after === null ? "removed" : "changed";
  const row = after ?? before ?? [];
  const shown = columns
    .map((column, index) => ({ column, before: before?.[index], after: after?.[index] }))
    .filter((each) => kind !== "changed" || !isSameCell(each.before, each.after));
  return (
    <div class={`change ${kind}`}>
      <div class="change-head">
        <span class="change-kind">{kind}</span>
        <span class="mono">{table}</span>
        {keys.map((key) => (
          <span class="change-key mono" key={key}>
            <CellView cell={row[columns.indexOf(key)] ?? null} />
          </span>
        ))}
      </div>
      <dl>
        {shown.map((each) => (
          <div key={each.column}>
            <dt>{each.column}</dt>
            <dd>
              {each.before !== undefined && (
                <del>
                  <CellView cell={each.before} />
                </del>
              )}
              {each.before !== undefined && each.after !== undefined && (
                <span class="arrow" aria-label="becomes">
                  →
                </span>
              )}
              {each.after !== undefined && (
                <ins>
                  <CellView cell={each.after} />
                </ins>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
