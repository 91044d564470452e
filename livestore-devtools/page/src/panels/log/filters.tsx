import { useWorkbench } from "../../model/workbench.ts";
import type { EventKind } from "../../protocol.ts";
import { Button, Select, TextInput } from "../../ui/controls.tsx";
import { NO_FILTER } from "./model.ts";

const KINDS: { value: EventKind | ""; label: string }[] = [
  { value: "", label: "of any kind" },
  { value: "pending", label: "pending" },
  { value: "confirmed", label: "confirmed" },
  { value: "clientOnly", label: "client-only" },
  { value: "quarantined", label: "quarantined" },
];

export function LogFilters() {
  const { log, store } = useWorkbench();
  const filter = log.filter.value;
  const names = store.schema.value.events.map(({ name }) => name);
  return (
    <search class="toolbar">
      <TextInput
        label="Text in args"
        placeholder="text in args"
        isSearch
        isPatient
        value={filter.text}
        onInput={(text) => log.filterBy({ text })}
      />
      <Select
        label="Event name"
        choices={[{ value: "", label: "all events" }, ...names.map((name) => ({ value: name, label: name }))]}
        value={filter.names[0] ?? ""}
        onPick={(name) => log.filterBy({ names: name === "" ? [] : [name] })}
      />
      <Select
        label="Kind"
        choices={KINDS}
        value={(filter.kind ?? "") as EventKind | ""}
        onPick={(kind) => log.filterBy({ kind: kind === "" ? null : kind })}
      />
      <TextInput
        label="Client"
        placeholder="client"
        isPatient
        mono
        value={filter.client}
        onInput={(client) => log.filterBy({ client })}
      />
      <TextInput
        label="Session"
        placeholder="session"
        isPatient
        mono
        value={filter.session}
        onInput={(session) => log.filterBy({ session })}
      />
      {log.isFiltered.value && (
        <Button tone="quiet" icon="close" onClick={() => log.filterBy(NO_FILTER)}>
          Clear
        </Button>
      )}
    </search>
  );
}
