import { parseExact, stringifyExact } from "../lib/exact-json.ts";
import type { Answer, Call, Notification } from "../protocol.ts";
import type { Door, Transport, TransportEvents } from "./transport.ts";

/** The code with which a host closes the socket of a page that has the wrong token. */
const CLOSE_BAD_TOKEN = 4401;

/** A host that serves the page, at `/socket`. */
export class WebSocketDoor implements Door {
  readonly name: string;
  readonly #path: string;
  readonly #secure: boolean;

  constructor(location: { protocol: string; host: string }, token: string) {
    this.name = location.host;
    this.#secure = location.protocol === "https:";
    this.#path = `${location.host}/socket?token=${encodeURIComponent(token)}`;
  }

  open(events: TransportEvents): Transport {
    const socket = new WebSocket(`${this.#secure ? "wss" : "ws"}://${this.#path}`);
    let opened = false;
    socket.onopen = () => {
      opened = true;
      events.onOpen();
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") events.onMessage(parseExact(data) as Answer | Notification);
    };
    socket.onclose = async ({ code }) => {
      const refused = code === CLOSE_BAD_TOKEN || (!opened && (await this.#isTokenRefused()));
      events.onClose(refused ? "badToken" : "gone");
    };
    return {
      send: (call: Call) => socket.send(stringifyExact(call)),
      close: () => socket.close(),
    };
  }

  /** A browser does not say why a socket did not open; a plain request to the same address does. */
  async #isTokenRefused(): Promise<boolean> {
    try {
      const answer = await fetch(`${this.#secure ? "https" : "http"}://${this.#path}`, { cache: "no-store" });
      return answer.status === 401 || answer.status === 403;
    } catch {
      return false;
    }
  }
}
