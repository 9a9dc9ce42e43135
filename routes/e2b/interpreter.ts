import { Type } from '@sinclair/typebox';
import type { FastifyError, FastifyInstance } from 'fastify';
import { USER_HOME } from '../../src/sandbox.ts';
import { LIMITS } from '../../src/schemas/limits.ts';
import { Environment } from '../../src/schemas/shapes.ts';
import { validator } from '../../src/schemas/validate.ts';
import type { Call } from '../../src/service/call.ts';
import { callOf } from '../call.ts';
import { takeLenientBodies } from '../lenient-bodies.ts';
import { askForSandbox, daemonRoute, gone, refuse } from './access.ts';
import { cellLanguage, contextLanguage } from './cell-languages.ts';
import { cellLines } from './cell-lines.ts';
import { Cells } from './cells.ts';
import { type Context, Contexts } from './contexts.ts';
import { endingOf } from './ending.ts';
import { maybe } from './maybe.ts';
import { seenPath } from './paths.ts';
import { answerError, Refusal } from './refusals.ts';
import { isGone } from './rpc-errors.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import type { Sandbox } from './sandboxes.ts';

/** Most bytes of a cell with its variables, and of what is asked of contexts. */
const CELL_BYTES = 8 * 1024 * 1024;
const CONTEXT_BYTES = 64 * 1024;

const language = maybe(Type.String({ minLength: 1, maxLength: 100 }));
const executeRequest = validator(
  Type.Object({
    code: Type.String({ maxLength: LIMITS.codeLength }),
    context_id: maybe(Type.String({ maxLength: 200 })),
    language,
    env_vars: maybe(Environment),
  }),
);
const contextRequest = validator(
  Type.Object({ language, cwd: maybe(Type.String({ maxLength: 4096, pattern: '^[^\\u0000]*$' })) }),
);

type OfContext = { Params: { id: string } };

/** The code interpreter of a sandbox. Their clients send it the sandbox's token with cells, and that of its traffic alone with what is about contexts. */
export async function interpreterRoutes(app: FastifyInstance, parts: SandboxParts): Promise<void> {
  const contexts = new Contexts();
  answerGone(app);
  await app.register(async scope => executeRoute(scope, parts, contexts));
  await app.register(async scope => contextRoutes(scope, parts, contexts));
}

function executeRoute(
  app: FastifyInstance,
  { service, sandboxes, admit, streams }: SandboxParts,
  contexts: Contexts,
): void {
  const cells = new Cells(service);
  const isEnding = endingOf(service, sandboxes);
  askForSandbox(app, sandboxes, { admit, proof: 'access' });
  takeLenientBodies(app, CELL_BYTES);

  app.post('/execute', daemonRoute, async (request, reply) => {
    const sandbox = request.sandbox!;
    const { code, context_id: id, language: name, env_vars } = executeRequest(request.body);
    if (id && name) throw new Refusal(400, 'Only one of context_id or language can be provided');
    const wanted = id ? contexts.find(sandbox, id) : cellLanguage(name || 'python');
    const cell = { code, environment: env_vars ?? {} };
    reply.header('content-type', 'application/x-ndjson');
    return streams.send(reply, sandbox, async over => {
      const reader = { ...callOf(request, reply), signal: over };
      const begin = () => {
        if (wanted === 'bash') return cells.beginShell(sandbox, cell, reader);
        const context = typeof wanted === 'string' ? contexts.ofLanguage(sandbox, wanted) : wanted;
        return cells.begin(sandbox, { ...cell, context }, reader);
      };
      return cellLines(await begin(), () => isEnding(sandbox, reader));
    });
  });
}

function contextRoutes(
  app: FastifyInstance,
  { service, sandboxes, admit }: SandboxParts,
  contexts: Contexts,
): void {
  const { sessions, entries } = service;
  askForSandbox(app, sandboxes, { admit, proof: 'any' });
  takeLenientBodies(app, CONTEXT_BYTES);

  /** @throws {Refusal | ServiceError} */
  const directory = async (path: string, { id }: Sandbox, call: Call) => {
    const seen = seenPath(path);
    const { type } = await entries.describe(id, seen, call);
    if (type !== 'directory') throw new Refusal(400, `cwd: ${seen} is not a directory`);
    return seen;
  };
  const close = (sandbox: Sandbox, { id }: Context, call: Call) =>
    sessions.closeContext(sandbox.id, id, call);

  app.post('/contexts', daemonRoute, async (request, reply) => {
    const sandbox = request.sandbox!;
    const call = callOf(request, reply);
    const { language: name, cwd } = contextRequest(request.body ?? {});
    const asked = contextLanguage(name ?? 'python');
    const where = cwd ? await directory(cwd, sandbox, call) : USER_HOME;
    await sessions.keepAlive(sandbox.id, call);
    return contexts.create(sandbox, asked, where);
  });

  app.get('/contexts', daemonRoute, async (request, reply) => {
    const sandbox = request.sandbox!;
    await sessions.keepAlive(sandbox.id, callOf(request, reply));
    return contexts.list(sandbox);
  });

  app.delete<OfContext>('/contexts/:id', daemonRoute, async (request, reply) => {
    const sandbox = request.sandbox!;
    const context = contexts.find(sandbox, request.params.id);
    await close(sandbox, context, callOf(request, reply));
    contexts.remove(sandbox, context);
    return reply.code(204).send();
  });

  app.post<OfContext>('/contexts/:id/restart', daemonRoute, async (request, reply) => {
    const sandbox = request.sandbox!;
    await close(sandbox, contexts.find(sandbox, request.params.id), callOf(request, reply));
    return reply.code(204).send();
  });
}

/** Clients know by 502 what has ended meanwhile. */
function answerGone(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) =>
    isGone(error) && request.sandbox
      ? refuse(reply, gone(request.sandbox.id))
      : answerError(error, request, reply),
  );
}
