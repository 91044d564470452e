import { useState } from "preact/hooks";
import { useWorkbench } from "../../model/workbench.ts";
import { CopyButton, Select } from "../../ui/controls.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Failure, Loading } from "../../ui/states.tsx";
import { useCall } from "../../ui/use-call.ts";

/** The events up to some event, as the code of a test. */
export function TestDialog({ to, fork, onClose }: { to: string; fork: number | null; onClose(): void }) {
  const { store } = useWorkbench();
  const [table, setTable] = useState("");
  const { value, error } = useCall(
    (abort) => store.client.call("asTest", { fork, to, table: table || null }, abort),
    [to, fork, table],
  );
  return (
    <Dialog
      title={`The events up to ${to}${fork === null ? "" : ` of fork ${fork}`}, as a test`}
      onClose={onClose}
      wide
    >
      <p>Copy it into a test of the app, write what you expect, and see it fail.</p>
      <div class="toolbar">
        <Select
          label="The table that the test looks at"
          choices={[
            { value: "", label: "looks at no table" },
            ...store.schema.value.tables.map(({ name }) => ({ value: name, label: `looks at ${name}` })),
          ]}
          value={table}
          onPick={setTable}
        />
        {value && <CopyButton text={value.code} label="Copy the code" />}
      </div>
      {error !== null && <Failure error={error} />}
      {!value && error === null && <Loading label="Writing…" />}
      {value && (
        <pre class="code" tabIndex={0}>
          {value.code}
        </pre>
      )}
    </Dialog>
  );
}
