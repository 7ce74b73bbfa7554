// The kernel is built without Node's types, so that it cannot lean on Node. Its tests run in Node, and need this much.

declare module "node:fs" {
  export function readdirSync(path: URL): string[];
  export function readFileSync(path: URL, encoding: "utf8"): string;
  export function writeFileSync(path: URL, text: string): void;
}

declare module "node:crypto" {
  export function createHash(name: "sha256"): { update(text: string): { digest(encoding: "hex"): string } };
}

declare const process: {
  readonly env: { readonly [name: string]: string | undefined };
  readonly argv: readonly string[];
  readonly stdout: { write(text: string): void };
  exitCode: number;
  once(signal: "SIGINT", listener: () => void): void;
};

declare function setTimeout(callback: (value: unknown) => void, delayMs: number): void;

declare class URL {
  constructor(path: string, base: string | URL);
}

interface ImportMeta {
  readonly url: string;
}
