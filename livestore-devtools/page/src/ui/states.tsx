import type { ComponentChildren } from "preact";
import { messageOf } from "../model/notices.ts";
import { Icon, type IconName } from "./icons.tsx";

/** Says that there is nothing to show, and why. */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <p class="empty-title">{title}</p>
      {children && <div class="empty-text">{children}</div>}
    </div>
  );
}

export function Failure({ error, children }: { error: unknown; children?: ComponentChildren }) {
  return (
    <div class="failure" role="alert">
      <Icon name="warning" />
      <div>
        <p>{messageOf(error)}</p>
        {children}
      </div>
    </div>
  );
}

export function Loading({ label = "Reading…" }: { label?: string }) {
  return (
    <p class="loading" role="status">
      {label}
    </p>
  );
}
