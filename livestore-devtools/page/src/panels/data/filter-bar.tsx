import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { cellText, parseCell } from "../../lib/format.ts";
import type { Filter, FilterOp, TableInfo } from "../../protocol.ts";
import { Button, IconButton, Select, TextInput } from "../../ui/controls.tsx";

const OPS: { value: FilterOp; label: string }[] = [
  { value: "contains", label: "contains" },
  { value: "eq", label: "=" },
  { value: "ne", label: "≠" },
  { value: "lt", label: "<" },
  { value: "le", label: "≤" },
  { value: "gt", label: ">" },
  { value: "ge", label: "≥" },
  { value: "isNull", label: "is null" },
  { value: "isNotNull", label: "is not null" },
];

const hasValue = (op: FilterOp) => op !== "isNull" && op !== "isNotNull";

interface FilterBarProps {
  table: TableInfo;
  filters: Filter[];
  onChange(filters: Filter[]): void;
  children?: ComponentChildren;
}

/** The conditions that rows have to meet, and a line to add one. */
export function FilterBar({ table, filters, onChange, children }: FilterBarProps) {
  const [column, setColumn] = useState("");
  const [op, setOp] = useState<FilterOp>("contains");
  const [text, setText] = useState("");
  const chosen = table.columns.find(({ name }) => name === column) ?? table.columns[0];
  const add = () => {
    if (!chosen || (hasValue(op) && text === "")) return;
    const value = !hasValue(op) ? null : op === "contains" ? text : parseCell(text, chosen.sqlType);
    onChange([...filters, { column: chosen.name, op, value }]);
    setText("");
  };
  return (
    <div class="toolbar">
      <Select
        label="Column"
        choices={table.columns.map(({ name }) => ({ value: name, label: name }))}
        value={chosen?.name ?? ""}
        onPick={setColumn}
      />
      <Select label="Comparison" choices={OPS} value={op} onPick={setOp} />
      {hasValue(op) && (
        <TextInput label="Value" placeholder="value" isSearch mono value={text} onInput={setText} onEnter={add} />
      )}
      <Button icon="plus" onClick={add}>
        Filter
      </Button>
      <ul class="chips" aria-label="Filters">
        {filters.map((filter, index) => (
          <li key={index} class="chip">
            <span class="mono">
              {filter.column} {OPS.find(({ value }) => value === filter.op)?.label}{" "}
              {hasValue(filter.op) && cellText(filter.value)}
            </span>
            <IconButton
              icon="close"
              label="Remove this filter"
              onClick={() => onChange(filters.filter((_, other) => other !== index))}
            />
          </li>
        ))}
      </ul>
      {children}
    </div>
  );
}
