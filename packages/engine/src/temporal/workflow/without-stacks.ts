/*
 * Loaded before all else in a sandbox. Temporal takes the stack of each promise, and finds the source of each of its
 * frames, to answer a question of its own tools: that takes longer than what the promise waits for. V8 takes no stacks
 * where there is no limit of them. Later on nobody can change that: the sandbox freezes what all executions share.
 */
delete (Error as { stackTraceLimit?: number }).stackTraceLimit;
