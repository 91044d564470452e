import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./icons.tsx";

interface ButtonProps {
  onClick(): void;
  children?: ComponentChildren;
  icon?: IconName;
  tone?: "plain" | "main" | "danger" | "quiet";
  disabled?: boolean;
  title?: string | undefined;
}

export function Button({ onClick, children, icon, tone = "plain", disabled, title }: ButtonProps) {
  return (
    <button type="button" class={`button ${tone}`} onClick={onClick} disabled={disabled ?? false} title={title}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

interface IconButtonProps {
  icon: IconName;
  label: string;
  onClick(): void;
  disabled?: boolean;
  pressed?: boolean;
}

export function IconButton({ icon, label, onClick, disabled, pressed }: IconButtonProps) {
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      onClick={onClick}
      disabled={disabled ?? false}
    >
      <Icon name={icon} />
    </button>
  );
}

interface Choice<T> {
  value: T;
  label: string;
}

interface SegmentsProps<T> {
  label: string;
  choices: Choice<NoInfer<T>>[];
  value: T;
  onPick(value: NoInfer<T>): void;
}

/** A few choices beside each other, of which one is made. */
export function Segments<T extends string | number>({ label, choices, value, onPick }: SegmentsProps<T>) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {choices.map((choice) => (
        <button
          type="button"
          key={choice.value}
          aria-pressed={choice.value === value}
          onClick={() => onPick(choice.value)}
        >
          {choice.label}
        </button>
      ))}
    </div>
  );
}

export function Select<T extends string>({ label, choices, value, onPick }: SegmentsProps<T>) {
  return (
    <select
      class="select"
      aria-label={label}
      value={value}
      onChange={(event) => onPick(event.currentTarget.value as T)}
    >
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.label}
        </option>
      ))}
    </select>
  );
}

interface TextInputProps {
  label: string;
  value: string;
  onInput(value: string): void;
  placeholder?: string;
  onEnter?(): void;
  /** Waits until one has stopped typing. */
  isPatient?: boolean;
  isSearch?: boolean;
  mono?: boolean;
}

const PATIENCE_MS = 250;

export function TextInput({ label, value, onInput, placeholder, onEnter, isPatient, isSearch, mono }: TextInputProps) {
  const [draft, setDraft] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setDraft(value), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const change = (text: string) => {
    setDraft(text);
    clearTimeout(timer.current);
    if (isPatient) timer.current = setTimeout(() => onInput(text), PATIENCE_MS);
    else onInput(text);
  };
  return (
    <input
      class={`input ${isSearch ? "search" : ""} ${mono ? "mono" : ""}`}
      type="text"
      data-focus-target={isSearch ? "search" : undefined}
      aria-label={label}
      placeholder={placeholder ?? label}
      value={draft}
      spellcheck={false}
      autocomplete="off"
      onInput={(event) => change(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== "Enter") return;
        clearTimeout(timer.current);
        onInput(draft);
        onEnter?.();
      }}
    />
  );
}

const COPIED_MS = 1_500;

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), COPIED_MS);
  };
  return (
    <Button icon={isCopied ? "check" : "copy"} tone="quiet" onClick={() => void copy()}>
      {isCopied ? "Copied" : label}
    </Button>
  );
}
