import { useState } from "preact/hooks";
import { isRecord, stringifyExact } from "../lib/exact-json.ts";
import { messageOf } from "../model/notices.ts";
import { useWorkbench } from "../model/workbench.ts";
import type { EventInfo, Json } from "../protocol.ts";
import { Button, Segments } from "../ui/controls.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Empty, Failure } from "../ui/states.tsx";
import { type Draft, draftOf, formField, parseDraft, parseJson } from "./form.ts";
import { FieldRow } from "./field-row.tsx";
import { eventsFor } from "./prefill.ts";

interface CommitDialogProps {
  name: string | null;
  args: { [key: string]: Json };
  onClose(): void;
}

/** Commits an event, into the store or the fork that one is in. */
export function CommitDialog({ name, args, onClose }: CommitDialogProps) {
  const { store, source } = useWorkbench();
  const events = eventsFor(store.schema.value.events, args);
  const [picked, setPicked] = useState(name ?? events[0]?.name ?? "");
  const event = store.schema.value.events.find((each) => each.name === picked);
  const fork = source.forkId.value;
  return (
    <Dialog title={fork === null ? "Commit an event" : `Commit an event into fork ${fork}`} onClose={onClose}>
      {event ? (
        <>
          <label class="field">
            <span class="field-name">Event</span>
            <select class="select" value={picked} onChange={(change) => setPicked(change.currentTarget.value)}>
              {events.map((each) => (
                <option key={each.name} value={each.name}>
                  {each.name}
                  {each.clientOnly ? " (client-only)" : ""}
                </option>
              ))}
              {!events.includes(event) && <option value={event.name}>{event.name}</option>}
            </select>
          </label>
          {event.deprecated !== null && <p class="warning">This event is deprecated: {event.deprecated}</p>}
          <CommitForm key={event.name} event={event} args={args} fork={fork} onClose={onClose} />
        </>
      ) : (
        <Empty icon="log" title="The schema has no events" />
      )}
    </Dialog>
  );
}

function CommitForm({
  event,
  args,
  fork,
  onClose,
}: {
  event: EventInfo;
  args: { [key: string]: Json };
  fork: number | null;
  onClose(): void;
}) {
  const { store, source, notices } = useWorkbench();
  const hasForm = event.fields.length > 0;
  const [mode, setMode] = useState<"form" | "json">(hasForm ? "form" : "json");
  const [draft, setDraft] = useState<Draft>(() => draftOf(event, args));
  const [text, setText] = useState("{}");
  const [isChecked, setChecked] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [isCommitting, setCommitting] = useState(false);

  const parsed = parseDraft(event, draft);
  const errors = isChecked ? parsed.errors : {};
  const switchTo = (next: "form" | "json") => {
    if (next === "json") setText(stringifyExact(parsed.args, 2));
    else {
      const value = parseJson(text);
      if ("value" in value && isRecord(value.value)) setDraft(draftOf(event, value.value));
    }
    setMode(next);
  };
  const commit = async () => {
    setChecked(true);
    const value = mode === "json" ? parseJson(text) : { value: parsed.args };
    if ("error" in value) return setError(new Error(value.error));
    if (mode === "form" && Object.keys(parsed.errors).length > 0) return;
    setCommitting(true);
    try {
      const { seqs } = await store.client.call("commit", { fork, name: event.name, args: value.value });
      if (fork !== null) source.committedInto(fork, seqs);
      notices.done(`Committed ${event.name} as ${seqs.join(", ")}${fork === null ? "" : ` in fork ${fork}`}.`);
      onClose();
    } catch (failure) {
      setError(new Error(messageOf(failure)));
      setCommitting(false);
    }
  };
  return (
    <form
      onSubmit={(submit) => {
        submit.preventDefault();
        void commit();
      }}
    >
      {hasForm && (
        <Segments
          label="How to write the args"
          choices={[
            { value: "form", label: "Form" },
            { value: "json", label: "JSON" },
          ]}
          value={mode}
          onPick={switchTo}
        />
      )}
      {mode === "form" ? (
        event.fields
          .map(formField)
          .map((field) => (
            <FieldRow
              key={field.name}
              field={field}
              value={draft[field.name] ?? null}
              error={errors[field.name]}
              onChange={(value) => setDraft({ ...draft, [field.name]: value })}
            />
          ))
      ) : (
        <label class="field">
          <span class="field-name">Args</span>
          <textarea
            class="input mono"
            rows={10}
            spellcheck={false}
            value={text}
            onInput={(input) => setText(input.currentTarget.value)}
          />
        </label>
      )}
      {error !== null && <Failure error={error} />}
      <footer>
        <Button onClick={onClose}>Cancel</Button>
        <button type="submit" class="button main" disabled={isCommitting}>
          {isCommitting ? "Committing…" : fork === null ? "Commit to the store" : "Commit into the fork"}
        </button>
      </footer>
    </form>
  );
}
