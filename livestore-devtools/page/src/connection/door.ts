import { BroadcastDoor } from "./broadcast-channel.ts";
import type { Door } from "./transport.ts";
import { WebSocketDoor } from "./web-socket.ts";

const TOKEN = "livestore-devtools-token";

/**
 * The way to the host that the page's address names: `#channel=NAME`, or a token in `#token=…` or
 * `?token=…`. The token is removed from the address, so that it is in no history, bookmark or
 * screenshot, and kept for as long as the tab is open, so that the page can be reloaded.
 */
export function findDoor(): Door | null {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const channel = fragment.get("channel");
  if (channel) return new BroadcastDoor(channel);

  const url = new URL(location.href);
  const given = fragment.get("token") ?? url.searchParams.get("token");
  if (given) {
    sessionStorage.setItem(TOKEN, given);
    fragment.delete("token");
    url.searchParams.delete("token");
    url.hash = fragment.toString();
    history.replaceState(null, "", url);
  }
  const token = sessionStorage.getItem(TOKEN);
  return token ? new WebSocketDoor(location, token) : null;
}
