import { HttpError } from "./http.js";

/** Finds the route of a request; `find` throws 404 for an unknown path and 405 for a known one with another method. */
export function createRouter(routes) {
  const compiled = routes.map((route) => ({ ...route, segments: route.path.split("/") }));

  function find(request) {
    const url = new URL(request.url, "http://service");
    const segments = url.pathname.split("/");
    const onPath = compiled.filter((route) => matches(route.segments, segments));
    if (onPath.length === 0) throw new HttpError(404, `There is nothing at ${url.pathname}.`);
    const route = onPath.find((candidate) => candidate.method === request.method);
    if (route === undefined) throw new HttpError(405, `${url.pathname} does not take ${request.method}.`);
    const params = paramsOf(route.segments, segments);
    return { ...route, run: (context) => route.run({ ...context, url, params }) };
  }

  return { find };
}

function matches(pattern, segments) {
  return (
    pattern.length === segments.length && pattern.every((part, at) => part.startsWith(":") || part === segments[at])
  );
}

function paramsOf(pattern, segments) {
  const params = {};
  pattern.forEach((part, at) => {
    if (part.startsWith(":")) params[part.slice(1)] = segments[at];
  });
  return params;
}
