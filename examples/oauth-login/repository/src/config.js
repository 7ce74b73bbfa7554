/** Reads the settings from an environment. Throws with the setting's name when one makes no sense. */
export function readConfig(env) {
  return Object.freeze({
    host: env.HOST ?? "127.0.0.1",
    port: integer(env, "PORT", 8080),
    bodyBytesMax: integer(env, "BODY_BYTES_MAX", 64 * 1024),
  });
}

function integer(env, name, fallback) {
  const text = env[name];
  if (text === undefined || text === "") return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new Error(`${name} must be a whole number, but it is "${text}"`);
  return value;
}
