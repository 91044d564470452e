import type { Client } from "../connection/client.ts";

/** The lines that are committed at a time, and about their characters. */
const BATCH_LINES = 1_000;
const BATCH_LENGTH = 1_500_000;
/** A line that is longer than this is no event. */
const LONGEST_LINE = 2_000_000;

export class ImportError extends Error {
  constructor(
    readonly committed: number,
    cause: unknown,
  ) {
    super(`${cause instanceof Error ? cause.message : String(cause)} (${committed} events were committed before)`);
  }
}

/** Commits the events of a file of lines of JSON, as new events, without having all of it in memory. */
export async function importEvents(
  client: Client,
  fork: number | null,
  file: Blob,
  onProgress: (committed: number, share: number) => void,
  abort: AbortSignal,
): Promise<string[]> {
  const seqs: string[] = [];
  let batch: string[] = [];
  let length = 0;
  let read = 0;
  const commit = async () => {
    if (batch.length === 0) return;
    abort.throwIfAborted();
    // Not `abort`: a commit that has been sent is waited for, so that the number that is shown is right.
    seqs.push(...(await client.call("importEvents", { fork, lines: batch })).seqs);
    batch = [];
    length = 0;
    onProgress(seqs.length, Math.min(1, read / file.size));
  };
  try {
    for await (const line of linesOf(file, (bytes) => (read = bytes))) {
      if (line.trim() === "") continue;
      if (length + line.length > BATCH_LENGTH) await commit();
      batch.push(line);
      length += line.length;
      if (batch.length === BATCH_LINES) await commit();
    }
    await commit();
  } catch (error) {
    throw new ImportError(seqs.length, error);
  }
  return seqs;
}

/** The lines of a file. One that is not UTF-8 is an error, and so is a line without end. */
export async function* linesOf(file: Blob, onRead: (bytes: number) => void): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = file.stream().getReader();
  let rest = "";
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += value ? decoder.decode(value, { stream: true }) : decoder.decode();
      bytes += value?.length ?? 0;
      onRead(bytes);
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield line.replace(/\r$/, "");
      if (rest.length > LONGEST_LINE) throw new Error("the file has a line that is too long for an event");
      if (done) break;
    }
    if (rest !== "") yield rest;
  } finally {
    await reader.cancel();
  }
}
