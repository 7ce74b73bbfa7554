import { health } from "./routes/health.js";
import { addNote, listNotes, removeNote } from "./routes/notes.js";

/** Every route of the service. */
export const routes = [
  { method: "GET", path: "/health", run: health },
  { method: "GET", path: "/notes", run: listNotes },
  { method: "POST", path: "/notes", run: addNote },
  { method: "DELETE", path: "/notes/:id", run: removeNote },
];
