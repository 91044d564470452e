import { computed, effect, signal } from "@preact/signals";

export type Theme = "dark" | "light";

const KEY = "livestore-devtools-theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(system.matches);
system.addEventListener("change", () => {
  systemIsDark.value = system.matches;
});

const picked = signal<Theme | null>(readPicked());

/** As the system has it, unless one has picked another. */
export const theme = computed<Theme>(() => picked.value ?? (systemIsDark.value ? "dark" : "light"));

export function switchTheme(): void {
  picked.value = theme.value === "dark" ? "light" : "dark";
  localStorage.setItem(KEY, picked.value);
}

export function showTheme(): void {
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
  });
}

function readPicked(): Theme | null {
  const stored = localStorage.getItem(KEY);
  return stored === "dark" || stored === "light" ? stored : null;
}
