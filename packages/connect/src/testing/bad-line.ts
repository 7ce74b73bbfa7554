import { once } from "node:events";
import { createServer, connect as dial, type Socket } from "node:net";

/** What a line does to one connection after so many bytes of the server's answers: nothing, cut it, or fall silent. */
export type Trouble = { readonly afterBytes: number; readonly then: "cut" | "silence" } | undefined;

export interface BadLine {
  readonly endpoint: string;
  /** Connections so far. */
  readonly count: () => number;
  close(): Promise<void>;
}

/** A line to a server on this machine that has trouble: `troubleOf` says which, for each connection, counted from 1. */
export async function openBadLine(target: string, troubleOf: (connection: number) => Trouble): Promise<BadLine> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let connections = 0;
  const keep = (socket: Socket): Socket => {
    open.add(socket);
    // Both ends break in these tests, and that is what is looked at elsewhere.
    socket.on("error", () => undefined).on("close", () => open.delete(socket));
    return socket;
  };
  const line = createServer((near) => {
    const trouble = troubleOf(++connections);
    keep(near);
    const far = keep(dial(Number(port), hostname));
    near.pipe(far);
    near.on("close", () => far.destroy());
    far.on("close", () => near.end());
    let passed = 0;
    far.on("data", (data: Buffer) => {
      if (trouble === undefined) return void near.write(data);
      const left = Math.max(0, trouble.afterBytes - passed);
      passed += data.length;
      near.write(data.subarray(0, left), () => {
        if (passed > trouble.afterBytes && trouble.then === "cut") near.resetAndDestroy();
      });
    });
  }).listen(0, "127.0.0.1");
  await once(line, "listening");
  const address = line.address();
  if (address === null || typeof address === "string") throw new Error("a listening server has a port");
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    count: () => connections,
    async close() {
      for (const socket of open) socket.destroy();
      line.close();
      await once(line, "close");
    },
  };
}
