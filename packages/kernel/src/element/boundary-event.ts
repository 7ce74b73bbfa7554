import type { BoundaryEvent } from "../program.ts";
import type { ElementBehavior } from "./behavior.ts";

/** It never starts by a token: `passBoundary` enters it when what it stands on is interrupted or its timer fires. */
export const boundaryEvent: ElementBehavior<BoundaryEvent> = {};
