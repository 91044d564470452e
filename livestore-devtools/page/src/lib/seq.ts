/** Sequence numbers of events, as people read them: `e12`, `e12.1`, `e12r2`. */

export interface SeqParts {
  global: number;
  client: number;
  generation: number;
}

/** The number before the first event. */
export const ROOT = "e0";

export function parseSeq(seq: string): SeqParts | null {
  const found = /^e(\d+)(?:\.(\d+))?(?:r(\d+))?$/.exec(seq.trim());
  if (!found) return null;
  return { global: Number(found[1]), client: Number(found[2] ?? 0), generation: Number(found[3] ?? 0) };
}

/** The order of the log. */
export function compareSeqs(a: string, b: string): number {
  const left = parseSeq(a);
  const right = parseSeq(b);
  if (!left || !right) return a < b ? -1 : a > b ? 1 : 0;
  return left.global - right.global || left.client - right.client;
}

/** Whether both are the same place in the log, whatever has been rebased. */
export function isSamePlace(a: string, b: string): boolean {
  return compareSeqs(a, b) === 0;
}
