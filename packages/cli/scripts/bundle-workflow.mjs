// `prepack`: puts what Temporal's workers run into the package, so that nobody has to wait until it is made. Needs the
// compiled sources. `postpack`, with --remove: takes it away again, because it would outlive the next change of them.

import { rmSync, writeFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { makeBundle } from "../dist/engines/workflow-bundle.js";

const file = fileURLToPath(new URL("../dist/workflow-bundle.cjs", import.meta.url));
if (argv.includes("--remove")) rmSync(file);
else writeFileSync(file, (await makeBundle()).code);
