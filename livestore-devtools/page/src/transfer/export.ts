import type { Client } from "../connection/client.ts";
import type { Source } from "../protocol.ts";

/** Where a file's pieces go: into memory until the end, or, if they are many and the browser can, to disk as they come. */
interface Sink {
  write(piece: Uint8Array<ArrayBuffer>): Promise<void>;
  finish(): Promise<void>;
  discard(): Promise<void>;
}

type SaveFilePicker = (options: { suggestedName: string }) => Promise<{
  createWritable(): Promise<{
    write(data: Uint8Array<ArrayBuffer>): Promise<void>;
    close(): Promise<void>;
    abort(): Promise<void>;
  }>;
}>;

/** From this number of events on, memory is spared. */
const MANY_EVENTS = 200_000;

/** Saves the log, which has about `total` events, as lines of JSON. */
export async function exportEvents(
  client: Client,
  name: string,
  total: number,
  onProgress: (events: number) => void,
  abort: AbortSignal,
): Promise<number> {
  const encoder = new TextEncoder();
  let events = 0;
  await save(`${name}.jsonl`, total >= MANY_EVENTS, async (sink) => {
    for (let after: string | null = null; ;) {
      const { lines, last }: { lines: string[]; last: string | null } = await client.call(
        "exportEvents",
        { after },
        abort,
      );
      if (last === null || lines.length === 0) return;
      await sink.write(encoder.encode(`${lines.join("\n")}\n`));
      after = last;
      events += lines.length;
      onProgress(events);
    }
  });
  return events;
}

/** Saves a state as an SQLite file. */
export async function exportState(
  client: Client,
  source: Source,
  name: string,
  onProgress: (share: number) => void,
  abort: AbortSignal,
): Promise<number> {
  let offset = 0;
  await save(`${name}.sqlite`, false, async (sink) => {
    for (;;) {
      const { base64, total } = await client.call("exportState", { source, offset }, abort);
      const piece = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      if (piece.length === 0) return;
      await sink.write(piece);
      offset += piece.length;
      onProgress(offset / total);
      if (offset >= total) return;
    }
  });
  return offset;
}

async function save(name: string, isLarge: boolean, write: (sink: Sink) => Promise<void>): Promise<void> {
  const sink = await openSink(name, isLarge);
  try {
    await write(sink);
    await sink.finish();
  } catch (error) {
    await sink.discard();
    throw error;
  }
}

async function openSink(name: string, isLarge: boolean): Promise<Sink> {
  const picker = (globalThis as { showSaveFilePicker?: SaveFilePicker }).showSaveFilePicker;
  if (!picker || !isLarge) return memorySink(name);
  const file = await (await picker({ suggestedName: name })).createWritable();
  return { write: (piece) => file.write(piece), finish: () => file.close(), discard: () => file.abort() };
}

function memorySink(name: string): Sink {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  return {
    write: async (piece) => void pieces.push(piece),
    finish: async () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(pieces));
      link.download = name;
      link.click();
      URL.revokeObjectURL(link.href);
    },
    discard: async () => void pieces.splice(0),
  };
}
