import { sessionIdOf } from "../cookies.js";
import { createTokenKeeper } from "../oauth/refresh.js";

const keepers = new WeakMap();

/** Who the caller is, as the provider says at this moment; brings the name that we know up to date. */
export async function account({ request, service }) {
  const session = service.sessions.find(sessionIdOf(request));
  const accessToken = await keeperOf(service).accessToken(session);
  const user = service.users.remember(await service.oauth.profile(accessToken));
  return { status: 200, body: user };
}

function keeperOf(service) {
  if (!keepers.has(service)) keepers.set(service, createTokenKeeper(service));
  return keepers.get(service);
}
