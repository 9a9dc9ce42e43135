import type { FastifyInstance } from 'fastify';

/** Records routes as they are added; the returned function lists the methods of a path. */
export function allowedMethods(app: FastifyInstance): (path: string) => string[] {
  const routes: { pattern: RegExp; methods: string[] }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    // The CORS preflight route matches every path and is not listed.
    if (method !== 'OPTIONS') routes.push({ pattern: patternOf(url), methods: [method].flat() });
  });
  return path => [
    ...new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods)),
  ];
}

/** `/api/session/:id` as a pattern of whole paths. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map(part => {
    if (part.startsWith(':')) return '[^/]+';
    return part === '*' ? '.*' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}$`);
}
