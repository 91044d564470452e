import { PANEL_NAMES, useWorkbench } from "../model/workbench.ts";
import { Icon } from "../ui/icons.tsx";
import { PANELS } from "./panels.ts";

export function Rail() {
  const { panel, store } = useWorkbench();
  const shown = PANEL_NAMES.filter((name) => {
    const { needs } = PANELS[name];
    return !needs || store.can(needs);
  });
  return (
    <nav class="rail" aria-label="Panels">
      {shown.map((name) => (
        <button
          type="button"
          key={name}
          aria-current={panel.value === name ? "page" : undefined}
          title={PANELS[name].label}
          onClick={() => {
            panel.value = name;
          }}
        >
          <Icon name={name} />
          <span class="rail-label">{PANELS[name].label}</span>
          <kbd aria-hidden="true">{PANEL_NAMES.indexOf(name) + 1}</kbd>
        </button>
      ))}
      <StoreFacts />
    </nav>
  );
}

function StoreFacts() {
  const hello = useWorkbench().store.hello.value;
  if (!hello) return null;
  const facts = [
    ["client", hello.clientId],
    ["session", hello.sessionId],
    ["livestore", hello.livestore],
  ] as const;
  return (
    <dl class="rail-facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd title={value}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
