import { render } from "preact";
import { App } from "./app.tsx";
import { Client } from "./connection/client.ts";
import { findDoor } from "./connection/door.ts";
import { showTheme } from "./model/theme.ts";
import { Workbench } from "./model/workbench.ts";
import { NoDoor } from "./shell/messages.tsx";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/dialogs.css";
import "./styles/shell.css";
import "./styles/rows.css";
import "./styles/values.css";
import "./styles/panels.css";
import "./styles/time.css";
import "./styles/live.css";
import "./styles/sync.css";
import "./styles/sql.css";
import "./styles/performance.css";

showTheme();
const root = document.getElementById("app") as HTMLElement;
const door = findDoor();
if (door) {
  const client = new Client(door, ["status", "log", "activity"]);
  const workbench = new Workbench(client);
  client.connect();
  render(<App workbench={workbench} hostName={door.name} />, root);
} else {
  render(<NoDoor />, root);
}
