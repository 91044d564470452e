import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type { Plugin, PreviewServer, ViteDevServer } from "vite";
import { WebSocketServer } from "ws";
import type { Call } from "../src/protocol.ts";
import { MockHost } from "./host.ts";
import { MockLog } from "./log.ts";

const TOKEN = "mock";

/** Has `vite` and `vite preview` answer like the host of an app: open the page with `#token=mock`. */
export function mockHost(): Plugin {
  return {
    name: "mock-host",
    configureServer: (server) => serve(server),
    configurePreviewServer: (server) => serve(server),
  };
}

function serve(server: ViteDevServer | PreviewServer): void {
  const sockets = new WebSocketServer({ noServer: true });
  const log = new MockLog();
  const hosts = new Set<MockHost>();
  log.onActivity = (activity) => {
    for (const host of hosts) host.publish({ topic: "activity", data: [activity] });
  };
  log.onChange = (what) => {
    for (const host of hosts) {
      if (what.status) host.publish({ topic: "status", data: log.status });
      if (what.log) host.publish({ topic: "log", data: host.tail() });
    }
  };
  log.start();

  server.middlewares.use("/socket", (request, response) => {
    response.statusCode = isAllowed(request) ? 426 : 401;
    response.end();
  });
  (server.httpServer as Server | null)?.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!request.url?.startsWith("/socket")) return;
    if (!isAllowed(request)) {
      socket.end("HTTP/1.1 401 Unauthorized\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (open) => {
      const host = new MockHost(log, (message) => open.send(JSON.stringify(message)));
      hosts.add(host);
      open.on("message", (data) => void host.receive(JSON.parse(String(data)) as Call));
      open.on("close", () => hosts.delete(host));
    });
  });
  server.httpServer?.on("close", () => log.stop());
}

function isAllowed(request: IncomingMessage): boolean {
  return (
    new URL(request.url ?? "", "http://localhost").searchParams.get("token") === TOKEN ||
    request.originalUrl?.includes(`token=${TOKEN}`) === true
  );
}

declare module "node:http" {
  interface IncomingMessage {
    originalUrl?: string;
  }
}
