// Writes docs/reference/conformance.md; a test keeps it in date.
import { writeFileSync } from "node:fs";
import { conformancePage } from "./page.ts";

writeFileSync(new URL("../../../../../docs/reference/conformance.md", import.meta.url), conformancePage());
