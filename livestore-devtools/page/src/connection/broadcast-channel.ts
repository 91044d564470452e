import { hasLongNumbers, parseExact, stringifyExact } from "../lib/exact-json.ts";
import type { Answer, Call, Notification } from "../protocol.ts";
import type { Door, Transport, TransportEvents } from "./transport.ts";

/**
 * What goes over the channel. `from` and `to` are `host`, or a page's own id; `*` is everybody. The host says
 * `here` to everybody when it starts, and `gone` when it ends; a page says `here` to the host, which
 * answers with `here`, and `gone` when it leaves.
 */
interface Envelope {
  from: string;
  to: string;
  message: Call | Answer | Notification | "here" | "gone" | string;
}

const HOST = "host";
const EVERYBODY = "*";
/** The time after which a host that has not said `here` is taken not to be there. */
const OPEN_TIMEOUT_MS = 2_000;

/** A host in another tab of the same origin. */
export class BroadcastDoor implements Door {
  readonly name: string;
  readonly #channel: string;

  constructor(channel: string) {
    this.name = `the tab of the app (channel ${channel})`;
    this.#channel = channel;
  }

  open(events: TransportEvents): Transport {
    const page = `page-${crypto.randomUUID()}`;
    const channel = new BroadcastChannel(this.#channel);
    const post = (message: Envelope["message"]) => channel.postMessage({ from: page, to: HOST, message });
    let state: "opening" | "open" | "closed" = "opening";

    const close = () => {
      if (state === "closed") return false;
      state = "closed";
      clearTimeout(timeout);
      removeEventListener("pagehide", leave);
      channel.close();
      return true;
    };
    const fail = () => {
      if (close()) events.onClose("gone");
    };
    const leave = () => post("gone");
    const timeout = setTimeout(fail, OPEN_TIMEOUT_MS);
    addEventListener("pagehide", leave);

    channel.onmessage = ({ data }: { data: Envelope }) => {
      if (data.from !== HOST || (data.to !== page && data.to !== EVERYBODY)) return;
      if (data.message === "gone") return fail();
      if (data.message === "here") {
        // A host that starts while the page is open is another one, which does not know the page.
        if (state === "open") return data.to === EVERYBODY ? fail() : undefined;
        state = "open";
        clearTimeout(timeout);
        return events.onOpen();
      }
      // A host may send JSON as a text, too, which keeps numbers exact.
      const { message } = data;
      events.onMessage((typeof message === "string" ? parseExact(message) : message) as Answer | Notification);
    };
    post("here");

    return {
      send: (call: Call) => post(hasLongNumbers(call) ? stringifyExact(call) : call),
      close: () => {
        if (state !== "closed") leave();
        close();
      },
    };
  }
}
