export { compose, type House } from "./compose.ts";
export { type Owner, type OwnerOptions, openOwner } from "./owner/owner.ts";
export { type StateFolder, stateFolder } from "./state.ts";
