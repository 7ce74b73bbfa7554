/** The caller's own part of the trail. Nobody reads another's. */
export function audit({ caller, service }) {
  return { status: 200, body: { entries: service.audit.entries().filter(({ who }) => who === caller?.id) } };
}
