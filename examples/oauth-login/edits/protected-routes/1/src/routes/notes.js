import { HttpError, readJson } from "../http.js";

const textLengthMax = 1_000;

export function listNotes({ caller, service }) {
  return { status: 200, body: { notes: service.notes.of(caller.id) } };
}

export async function addNote({ request, caller, service }) {
  const { text } = await readJson(request, service.config.bodyBytesMax);
  if (typeof text !== "string" || text.trim() === "") throw new HttpError(400, "A note needs a text.");
  if (text.length > textLengthMax) throw new HttpError(400, `A note has at most ${textLengthMax} characters.`);
  const note = service.notes.add(caller.id, { text: text.trim(), at: service.now() });
  return { status: 201, body: note };
}

export function removeNote({ params, caller, service }) {
  if (!service.notes.remove(caller.id, params.id)) throw new HttpError(404, "You have no such note.");
  return { status: 204 };
}
