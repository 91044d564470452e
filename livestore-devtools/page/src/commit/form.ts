import { parseExact, stringifyExact } from "../lib/exact-json.ts";
import type { EventInfo, FieldInfo, Json } from "../protocol.ts";

/** How a field of an event's args is written in a form. */
export type FieldInput = "text" | "number" | "integer" | "flag" | "json";

export interface FormField {
  name: string;
  /** The Rust type, as people read it. */
  type: string;
  input: FieldInput;
  /** Whether it may be `null`. */
  isOptional: boolean;
  /** Whether it may be left out. */
  canBeAbsent: boolean;
}

const INTEGER = /^([iu](8|16|32|64|128|size))$/;

export function formField({ name, type }: FieldInfo): FormField {
  const canBeAbsent = /\(optional\)|\(default\)/.test(type);
  const bare = type.replace(/\s*\([^)]*\)\s*$/, "").trim();
  const inner = /^Option<(.+)>$/.exec(bare);
  return { name, type, input: inputOf(inner?.[1] ?? bare), isOptional: inner !== null, canBeAbsent };
}

function inputOf(type: string): FieldInput {
  if (type === "String" || type === "str" || type === "char") return "text";
  if (type === "bool") return "flag";
  if (INTEGER.test(type)) return "integer";
  return type === "f64" || type === "f32" ? "number" : "json";
}

/** What is written in each field. `null`: the field is empty, which is another thing than an empty text. */
export type Draft = { [field: string]: string | null };

/** What the form begins with, from the values that are known already. */
export function draftOf(event: EventInfo, args: { [key: string]: Json }): Draft {
  const draft: Draft = {};
  for (const field of event.fields.map(formField)) {
    const value = args[field.name];
    if (value === undefined) draft[field.name] = field.isOptional || field.canBeAbsent ? null : initial(field.input);
    else if (value === null) draft[field.name] = null;
    else
      draft[field.name] = field.input !== "json" && typeof value !== "object" ? String(value) : stringifyExact(value);
  }
  return draft;
}

function initial(input: FieldInput): string {
  return input === "flag" ? "false" : "";
}

export type Parsed = { args: { [key: string]: Json }; errors: { [field: string]: string } };

/** The args that the form says, or what is wrong with it. */
export function parseDraft(event: EventInfo, draft: Draft): Parsed {
  const parsed: Parsed = { args: {}, errors: {} };
  for (const field of event.fields.map(formField)) {
    const written = draft[field.name] ?? null;
    if (written === null) {
      if (!field.canBeAbsent) parsed.args[field.name] = null;
      continue;
    }
    const value = parseField(field, written);
    if ("error" in value) parsed.errors[field.name] = value.error;
    else parsed.args[field.name] = value.value;
  }
  return parsed;
}

function parseField({ input }: FormField, written: string): { value: Json } | { error: string } {
  switch (input) {
    case "text":
      return { value: written };
    case "flag":
      return { value: written === "true" };
    case "integer":
    case "number": {
      const number = Number(written);
      if (written.trim() === "" || !Number.isFinite(number)) return { error: "Write a number." };
      if (input === "number") return { value: number };
      if (!/^[+-]?\d+$/.test(written.trim())) return { error: "Write a whole number." };
      return { value: Number.isSafeInteger(number) ? number : BigInt(written.trim().replace("+", "")) };
    }
    case "json":
      return parseJson(written);
  }
}

export function parseJson(written: string): { value: Json } | { error: string } {
  try {
    return { value: parseExact(written) as Json };
  } catch (error) {
    return { error: `This is not JSON: ${(error as Error).message}` };
  }
}
