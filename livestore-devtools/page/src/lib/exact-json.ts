import type { Json } from "../protocol.ts";

/**
 * JSON whose whole numbers beyond 2^53 are `bigint`s. Rust's `i64` and `u64` are written like that, and
 * JavaScript's own parser would make other numbers of them without a word.
 */

const NUMBERS = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MAY_BE_LONG = /[:[,\s]-?\d{16}/;
const WHOLE = /^-?\d{16,}$/;

export function parseExact(text: string): unknown {
  if (!MAY_BE_LONG.test(text) && !/^-?\d{16}/.test(text)) return JSON.parse(text);
  const tag = newTag();
  return JSON.parse(withTags(text, tag), (_, value: unknown) =>
    typeof value === "string" && value.startsWith(tag) ? BigInt(value.slice(tag.length)) : value,
  );
}

/** Writes long numbers as strings that begin with `tag`. What is in strings already is left as it is. */
function withTags(text: string, tag: string): string {
  const isLong = (token: string) => WHOLE.test(token) && !Number.isSafeInteger(Number(token));
  const parts: string[] = [];
  for (let at = 0; at < text.length;) {
    const quote = text.indexOf('"', at);
    const between = text.slice(at, quote < 0 ? text.length : quote);
    parts.push(between.replace(NUMBERS, (token) => (isLong(token) ? `"${tag}${token}"` : token)));
    if (quote < 0) break;
    const end = endOfString(text, quote);
    parts.push(text.slice(quote, end));
    at = end;
  }
  return parts.join("");
}

/** The position behind the string that begins at `quote`. */
function endOfString(text: string, quote: number): number {
  for (let at = quote + 1; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') return at + 1;
    if (character === "\\") at += 1;
  }
  return text.length;
}

export function stringifyExact(value: unknown, indent?: number): string {
  const tag = newTag();
  let isTagged = false;
  const text = JSON.stringify(
    value,
    (_, item: unknown) => {
      if (typeof item !== "bigint") return item;
      isTagged = true;
      return `${tag}${item}`;
    },
    indent,
  );
  return isTagged ? text.replaceAll(new RegExp(`"${tag}(-?\\d+)"`, "g"), "$1") : text;
}

/** Whether there is a number in it that JavaScript's own JSON could not hold. */
export function hasLongNumbers(value: unknown): boolean {
  if (typeof value === "bigint") return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasLongNumbers);
}

/** No text of anybody's begins with it. */
function newTag(): string {
  return `${crypto.randomUUID()} `;
}

export function isRecord(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
