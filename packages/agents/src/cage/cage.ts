/** One program to start: what it is, where it runs and what it must be able to reach. All paths are absolute. */
export interface CagedCommand {
  /** Program and arguments, no shell. A program without a slash is looked up on PATH. */
  readonly argv: readonly string[];
  /** Directory it starts in: the workspace, or the scratch directory. */
  readonly cwd: string;
  /** Directories it may write to, besides `scratch`. */
  readonly writable: readonly string[];
  /** Its HOME and TMPDIR live here; writable. */
  readonly scratch: string;
  /** Read-only paths it needs besides the system and its own installation. */
  readonly readable?: readonly string[];
  /** Set as given, after the allow-list. */
  readonly environment?: { readonly [name: string]: string };
}

/** How to start it on the host: `file` with `args` in `cwd`, with exactly this environment. */
export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: { readonly [name: string]: string };
}

/**
 * What an untrusted program can reach. A plain value: make one per run, with what the user's flags named.
 * `launch` rejects with AppError `agent-not-found` when the program does not exist.
 */
export interface Cage {
  readonly kind: "bubblewrap" | "none";
  /** One sentence for a person: what is kept in, and what is not. */
  readonly description: string;
  launch(command: CagedCommand): Promise<Launch>;
}

/** Nothing here is given unless a flag of the user named it. */
export interface CageOptions {
  /** Default `none`: not even loopback reaches the host. */
  readonly network?: "none" | "host";
  /** Names of the host's environment variables to pass on (keys of model providers). */
  readonly environment?: readonly string[];
  /** Further absolute paths to show read-only (for example the object store a shared clone borrows from). */
  readonly readable?: readonly string[];
  /** Further absolute paths it may write to. */
  readonly writable?: readonly string[];
}
