import type { FastifyInstance, FastifyRequest } from 'fastify';
import { LIMITS } from '../../src/schemas/limits.ts';
import { FairQueue } from '../../src/service/admission/fair-queue.ts';
import type { Call } from '../../src/service/call.ts';
import { callOf } from '../call.ts';
import { attributesOf, NotText, type View } from './attributes.ts';
import type { Callbacks } from './callbacks.ts';
import { readQuery } from './query.ts';
import { Invalid, type Problems, Refusal } from './refusal.ts';
import { readSubmission, type Terms } from './submission.ts';
import type { Submissions } from './submissions.ts';

/** Answers of many submissions that are put together at once: each may be large. */
const BUILT_AT_ONCE = 2;
/** Requests that wait for those; more are refused. */
const MOST_WAITING = 1000;
const SOME_NOT_TEXT =
  'some attributes for one or more submissions cannot be converted to UTF-8, use base64_encoded=true query parameter';

interface Parts {
  readonly submissions: Submissions;
  readonly callbacks: Callbacks;
  readonly termsOf: (base64: boolean) => Promise<Terms>;
}

/** `POST` and `GET /submissions/batch`: several at once, each taken or refused for itself. */
export function batchRoutes(app: FastifyInstance, parts: Parts): void {
  const hidden = { schema: { hide: true } };
  const builds = new FairQueue(BUILT_AT_ONCE, MOST_WAITING);
  app.post('/submissions/batch', hidden, async (request, reply) => {
    const { base64 } = readQuery(request.query);
    const terms = await parts.termsOf(base64);
    const asked = (request.body as { submissions?: unknown } | null)?.submissions;
    const bodies = several<unknown>(Array.isArray(asked) ? asked : [], terms);
    const taken = await takeAll(bodies, { ...parts, terms, call: callOf(request, reply) });
    return reply.code(taken.some(each => 'token' in each) ? 201 : 422).send(taken);
  });
  app.get('/submissions/batch', hidden, async (request, reply) => {
    const call = callOf(request, reply);
    const { base64, names, tokens } = readQuery(request.query);
    const terms = await parts.termsOf(base64);
    const wanted = several(tokenList(request, tokens), terms);
    const leave = await builds.enter(call.client, call.signal);
    try {
      const text = await build(wanted, {
        ...parts,
        call,
        view: { names, base64, languages: terms.languages },
      });
      return reply.type('application/json; charset=utf-8').send(text);
    } finally {
      leave();
    }
  });
}

/** @throws {Refusal} it is none, or more than there may be */
function several<T>(all: readonly T[], { config }: Terms): readonly T[] {
  const { max_submission_batch_size: most } = config;
  if (all.length > most)
    throw new Refusal(`number of submissions in a batch should be less than or equal to ${most}`);
  if (all.length === 0) throw new Refusal('there should be at least one submission in a batch');
  return all;
}

/** A header may name them too, where they are too many for a URL. */
function tokenList({ headers }: FastifyRequest, tokens = ''): string[] {
  const text = typeof headers.tokens === 'string' ? headers.tokens : tokens;
  return text
    .split(',')
    .map(token => token.trim())
    .filter(Boolean);
}

/** Takes those that are right. When there is no room for one, none is left behind. */
async function takeAll(
  bodies: readonly unknown[],
  { submissions, callbacks, terms, call }: Parts & { terms: Terms; call: Call },
): Promise<({ token: string } | Problems)[]> {
  const answers: ({ token: string } | Problems)[] = [];
  const taken: { token: string; follow: () => void }[] = [];
  try {
    for (const body of bodies) {
      try {
        const submission = readSubmission(body, terms);
        const token = await submissions.take(submission, call);
        taken.push({ token, follow: () => callbacks.follow(token, submission.wish, call) });
        answers.push({ token });
      } catch (error) {
        if (!(error instanceof Invalid)) throw error;
        answers.push(error.problems);
      }
    }
  } catch (error) {
    await Promise.allSettled(taken.map(({ token }) => submissions.cancel(token, call)));
    throw error;
  }
  for (const { follow } of taken) follow();
  return answers;
}

/** The answer as JSON, one submission after the other in memory. @throws {Refusal} */
async function build(
  tokens: readonly string[],
  { submissions, call, view }: Parts & { call: Call; view: View },
): Promise<string> {
  const texts: string[] = [];
  let length = 0;
  for (const token of tokens) {
    const taken = await submissions.findAny(token, call);
    const text = JSON.stringify(taken && shown(taken, view));
    length += text.length;
    if (length > LIMITS.batchAnswerBytes)
      throw new Refusal(
        `these submissions are over ${LIMITS.batchAnswerBytes} bytes, ask for fewer of them or of their fields`,
      );
    texts.push(text);
  }
  return `{"submissions":[${texts.join(',')}]}`;
}

function shown(taken: Parameters<typeof attributesOf>[0], view: View): object {
  try {
    return attributesOf(taken, view);
  } catch (error) {
    if (error instanceof NotText) throw new Refusal(SOME_NOT_TEXT);
    throw error;
  }
}
