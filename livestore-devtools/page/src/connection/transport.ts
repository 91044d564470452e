import type { Answer, Call, Notification } from "../protocol.ts";

/** A way to a host. It opens once and closes once; to connect again, a new one is made. */
export interface Transport {
  send(call: Call): void;
  close(): void;
}

export interface TransportEvents {
  onOpen(): void;
  onMessage(message: Answer | Notification): void;
  onClose(reason: CloseReason): void;
}

/** Why there is no connection (any more). */
export type CloseReason =
  /** Nobody is there, or the connection broke: worth another try. */
  | "gone"
  /** The host does not take the page's token: trying again is of no use. */
  | "badToken";

export interface Door {
  open(events: TransportEvents): Transport;
  /** What to tell people who wait for the host. */
  readonly name: string;
}
