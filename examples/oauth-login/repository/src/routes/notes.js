import { HttpError, readJson } from "../http.js";

const textLengthMax = 1_000;

// Without a caller the notes are the guest's, which everybody shares.
const ownerOf = (caller) => caller?.id ?? "guest";

export function listNotes({ caller, service }) {
  return { status: 200, body: { notes: service.notes.of(ownerOf(caller)) } };
}

export async function addNote({ request, caller, service }) {
  const { text } = await readJson(request, service.config.bodyBytesMax);
  if (typeof text !== "string" || text.trim() === "") throw new HttpError(400, "A note needs a text.");
  if (text.length > textLengthMax) throw new HttpError(400, `A note has at most ${textLengthMax} characters.`);
  const note = service.notes.add(ownerOf(caller), { text: text.trim(), at: service.now() });
  return { status: 201, body: note };
}

export function removeNote({ params, caller, service }) {
  if (!service.notes.remove(ownerOf(caller), params.id)) throw new HttpError(404, "You have no such note.");
  return { status: 204 };
}
