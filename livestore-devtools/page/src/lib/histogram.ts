import type { Histogram } from "../protocol.ts";

/** The time that a share of all times does not exceed, as near as the buckets say. */
export function percentile({ buckets, count, maxMicros }: Histogram, share: number): number {
  if (count === 1) return maxMicros;
  const rank = count * share;
  let before = 0;
  for (const [power, inside] of buckets.entries()) {
    if (inside > 0 && before + inside >= rank) {
      const low = power === 0 ? 0 : 2 ** (power - 1);
      const high = Math.min(2 ** power, maxMicros || 2 ** power);
      return low + (high - low) * Math.min(1, Math.max(0, (rank - before) / inside));
    }
    before += inside;
  }
  return maxMicros;
}

/** The part of the buckets that has times in it, and one more on each side, at least eight. */
export function filledRange(buckets: number[]): { first: number; last: number } {
  const first = Math.max(0, buckets.findIndex((inside) => inside > 0) - 1);
  const last = Math.max(first + 7, buckets.findLastIndex((inside) => inside > 0) + 1);
  return { first, last };
}
