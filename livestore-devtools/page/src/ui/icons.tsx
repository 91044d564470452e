const PATHS = {
  data: "M2.5 3.5h11v9h-11zM2.5 6.5h11M6.5 6.5v6",
  log: "M3 4h10M3 8h10M3 12h6",
  time: "M8 2.5a5.5 5.5 0 1 1-5.2 3.7M2.5 3v3.3h3.3M8 5.2V8l2 1.6",
  live: "M3.5 8a1.5 1.5 0 1 0 0-.01M12.5 4a1.5 1.5 0 1 0 0-.01M12.5 12a1.5 1.5 0 1 0 0-.01M5 7.4l4.6-2.6M5 8.6l4.6 2.6",
  sync: "M4.5 6.5A4 4 0 0 1 12 6M11.5 9.5A4 4 0 0 1 4 10M12.3 3.2V6H9.5M3.7 12.8V10h2.8",
  sql: "M3 4.5l3 3-3 3M8 11.5h5",
  performance: "M2.5 13.5h11M4.5 11V7.5M8 11V3.5M11.5 11V6",
  play: "M5 3.5v9l7-4.5z",
  pause: "M5 3.5v9M11 3.5v9",
  first: "M4 3.5v9M12 3.5L6 8l6 4.5z",
  last: "M12 3.5v9M4 3.5L10 8l-6 4.5z",
  back: "M10.5 3.5L5 8l5.5 4.5",
  forward: "M5.5 3.5L11 8l-5.5 4.5",
  fork: "M4.5 4.5v7M4.5 8c4 0 7-.5 7-3.5M4.5 4a1.2 1.2 0 1 0 0-.01M4.5 12.5a1.2 1.2 0 1 0 0-.01M11.5 4a1.2 1.2 0 1 0 0-.01",
  close: "M4 4l8 8M12 4l-8 8",
  check: "M3 8.5l3.2 3L13 4.5",
  search: "M7 11.5a4.5 4.5 0 1 0 0-.01M10.3 10.3L13.5 13.5",
  plus: "M8 3v10M3 8h10",
  sun: "M8 5.2a2.8 2.8 0 1 0 .01 0M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5z",
  help: "M6 6a2 2 0 1 1 2.6 1.9c-.5.2-.6.5-.6 1.1M8 11.5v.3",
  transfer: "M5 13V4M2.5 6.5L5 4l2.5 2.5M11 3v9M8.5 9.5L11 12l2.5-2.5",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  test: "M6 2.5h4M7 2.5V7l-3.5 5.5c-.3.5 0 1 .6 1h7.8c.6 0 .9-.5.6-1L9 7V2.5",
  up: "M8 12.5v-9M4.5 7L8 3.5 11.5 7",
  down: "M8 3.5v9M4.5 9L8 12.5 11.5 9",
  warning: "M8 2.5l6 10.5H2zM8 6.5v3M8 11.3v.2",
  leader: "M2.5 12h11M3 10l-.5-5L6 7l2-3.5L10 7l3.5-2-.5 5z",
  clock: "M8 2.5a5.5 5.5 0 1 0 .01 0M8 5v3l2 1.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
