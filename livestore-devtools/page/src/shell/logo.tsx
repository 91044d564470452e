export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <rect width="16" height="16" rx="4" />
      <path d="M4 4v8h8" />
      <circle cx="11" cy="5" r="1.6" />
    </svg>
  );
}
