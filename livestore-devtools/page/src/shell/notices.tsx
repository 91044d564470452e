import { useWorkbench } from "../model/workbench.ts";
import { IconButton } from "../ui/controls.tsx";
import { Icon } from "../ui/icons.tsx";

export function Notices() {
  const { notices } = useWorkbench();
  return (
    <div class="notices" role="log" aria-live="polite" aria-label="Messages">
      {notices.shown.value.map((notice) => (
        <div key={notice.id} class={`notice ${notice.kind}`}>
          <Icon name={notice.kind === "done" ? "check" : "warning"} />
          <p>{notice.text}</p>
          <IconButton icon="close" label="Dismiss" onClick={() => notices.dismiss(notice.id)} />
        </div>
      ))}
    </div>
  );
}
