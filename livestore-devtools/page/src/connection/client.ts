import { type ReadonlySignal, signal } from "@preact/signals";
import {
  type Answer,
  type Call,
  type Hello,
  type Method,
  type Notification,
  type Params,
  type RefusalCode,
  type Result,
  type Topic,
  VERSION,
} from "../protocol.ts";
import type { CloseReason, Door, Transport } from "./transport.ts";

/** Where the conversation with the host stands. */
export type ConnectionState =
  | { is: "connecting"; attempts: number }
  | { is: "connected"; hello: Hello }
  /** The host went away, or never was there; the next attempt is at `retryAt`. `attempts` have failed. */
  | { is: "waiting"; retryAt: number; attempts: number }
  /** The host does not speak with this page, and never will. */
  | { is: "refused"; because: "badToken" | "otherVersion"; message: string };

/** A call that the host did not answer with a result. */
export class CallError extends Error {
  constructor(
    readonly code: RefusalCode | "disconnected",
    message: string,
  ) {
    super(message);
  }
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: CallError): void;
  /** Forgets the listener for the call's cancellation. */
  release(): void;
}

type Listener<T extends Topic> = (data: Extract<Notification, { topic: T }>["data"]) => void;

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8_000;

/** Calls the host, hears its notifications, and connects again when it has gone. */
export class Client {
  readonly #door: Door;
  readonly #topics: Topic[];
  readonly #state = signal<ConnectionState>({ is: "connecting", attempts: 0 });
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Map<Topic, Set<(data: never) => void>>();
  #transport: Transport | null = null;
  #lastId = 0;
  #attempts = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(door: Door, topics: Topic[]) {
    this.#door = door;
    this.#topics = topics;
  }

  get state(): ReadonlySignal<ConnectionState> {
    return this.#state;
  }

  /** Connects now, without waiting for the next attempt to be due. */
  connect(): void {
    clearTimeout(this.#retry);
    this.#transport?.close();
    this.#state.value = { is: "connecting", attempts: this.#attempts };
    let isCurrent = true;
    const transport = this.#door.open({
      onOpen: () => void this.#greet(),
      onMessage: (message) => this.#receive(message),
      onClose: (reason) => {
        if (isCurrent && this.#transport === transport) this.#closed(reason);
        isCurrent = false;
      },
    });
    this.#transport = transport;
  }

  /** Calls the host. If `abort` fires, the host is asked to cancel, and the call fails as `cancelled`. */
  call<M extends Method>(method: M, params: Params<M>, abort?: AbortSignal): Promise<Result<M>> {
    if (this.#state.value.is !== "connected") {
      return Promise.reject(new CallError("disconnected", "the host is not connected"));
    }
    return this.#send(method, params, abort);
  }

  /** Has `listener` called with what the host says about `topic`. Returns what ends that. */
  on<T extends Topic>(topic: T, listener: Listener<T>): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  async #greet(): Promise<void> {
    try {
      const hello = await this.#send("hello", { version: VERSION });
      if (hello.version !== VERSION) throw new CallError("otherVersion", `the host speaks version ${hello.version}`);
      await this.#send("subscribe", { topics: this.#topics });
      this.#attempts = 0;
      this.#state.value = { is: "connected", hello };
    } catch (error) {
      if (error instanceof CallError && error.code === "otherVersion") this.#refuse("otherVersion", error.message);
      else if (!(error instanceof CallError && error.code === "disconnected")) this.#closed("gone");
    }
  }

  #send<M extends Method>(method: M, params: Params<M>, abort?: AbortSignal): Promise<Result<M>> {
    if (abort?.aborted) return Promise.reject(cancelled());
    const id = this.#post(method, params);
    return new Promise<Result<M>>((resolve, reject) => {
      const cancel = () => {
        this.#waiting.delete(id);
        this.#post("cancel", { call: id });
        reject(cancelled());
      };
      abort?.addEventListener("abort", cancel, { once: true });
      this.#waiting.set(id, {
        resolve: (result) => resolve(result as Result<M>),
        reject,
        release: () => abort?.removeEventListener("abort", cancel),
      });
    });
  }

  #post<M extends Method>(method: M, params: Params<M>): number {
    const id = ++this.#lastId;
    const call: Call = { id, method, params };
    this.#transport?.send(call);
    return id;
  }

  #receive(message: Answer | Notification): void {
    if ("topic" in message) {
      for (const listener of this.#listeners.get(message.topic) ?? []) listener(message.data as never);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    // Answers to calls that were cancelled, and to `cancel` itself, are of no interest.
    if (!waiting) return;
    this.#waiting.delete(message.id);
    waiting.release();
    if ("error" in message) waiting.reject(new CallError(message.error.code, message.error.message));
    else waiting.resolve(message.result);
  }

  #closed(reason: CloseReason): void {
    this.#transport?.close();
    this.#transport = null;
    this.#failAll();
    if (this.#state.value.is === "refused") return;
    if (reason === "badToken") return this.#refuse("badToken", "");
    const delay = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempts);
    this.#attempts += 1;
    this.#state.value = { is: "waiting", retryAt: Date.now() + delay, attempts: this.#attempts };
    this.#retry = setTimeout(() => this.connect(), delay);
  }

  #refuse(because: "badToken" | "otherVersion", message: string): void {
    this.#state.value = { is: "refused", because, message };
    const transport = this.#transport;
    this.#transport = null;
    transport?.close();
    this.#failAll();
  }

  #failAll(): void {
    const calls = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const call of calls) {
      call.release();
      call.reject(new CallError("disconnected", "the host has gone"));
    }
  }
}

function cancelled(): CallError {
  return new CallError("cancelled", "the call was cancelled");
}
