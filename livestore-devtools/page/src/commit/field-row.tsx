import { useId } from "preact/hooks";
import type { FormField } from "./form.ts";

interface FieldRowProps {
  field: FormField;
  value: string | null;
  error: string | undefined;
  onChange(value: string | null): void;
}

export function FieldRow({ field, value, error, onChange }: FieldRowProps) {
  const id = useId();
  const isEmpty = value === null;
  const canBeEmpty = field.isOptional || field.canBeAbsent;
  return (
    <div class={`field ${error ? "wrong" : ""}`}>
      <label class="field-name" for={id}>
        {field.name}
        <span class="field-type">{field.type}</span>
      </label>
      <div class="field-input">
        {!isEmpty && <Input id={id} field={field} value={value} onChange={onChange} />}
        {isEmpty && <span class="field-empty">{field.canBeAbsent ? "absent" : "null"}</span>}
        {canBeEmpty && (
          <label class="field-switch">
            <input
              type="checkbox"
              checked={!isEmpty}
              onChange={(event) => onChange(event.currentTarget.checked ? "" : null)}
            />
            has a value
          </label>
        )}
      </div>
      {error && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

function Input({
  id,
  field,
  value,
  onChange,
}: {
  id: string;
  field: FormField;
  value: string;
  onChange(value: string): void;
}) {
  if (field.input === "flag") {
    return (
      <select
        id={id}
        class="select"
        value={value === "true" ? "true" : "false"}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        <option value="false">false</option>
        <option value="true">true</option>
      </select>
    );
  }
  if (field.input === "json" || (field.input === "text" && value.length > 60)) {
    return (
      <textarea
        id={id}
        class="input mono"
        rows={Math.min(8, Math.max(2, Math.ceil(value.length / 56)))}
        spellcheck={false}
        placeholder={field.input === "json" ? "JSON" : ""}
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    );
  }
  return (
    <input
      id={id}
      class="input"
      inputMode={field.input === "text" ? "text" : "decimal"}
      autocomplete="off"
      spellcheck={false}
      value={value}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  );
}
