import type { FastifyInstance } from 'fastify';
import type { Call } from '../../src/service/call.ts';
import { callOf } from '../call.ts';
import { attributesOf, NotText } from './attributes.ts';
import type { Callbacks } from './callbacks.ts';
import { readQuery } from './query.ts';
import { readSubmission, type Submission, type Terms } from './submission.ts';
import type { Submissions } from './submissions.ts';

/** What a submission can't be shown for without base64. */
export const NOT_TEXT =
  'some attributes for this submission cannot be converted to UTF-8, use base64_encoded=true query parameter';

/** `POST /submissions`: takes one, and with `wait=true` answers with its result. */
export function createRoute(
  app: FastifyInstance,
  {
    submissions,
    callbacks,
    termsOf,
  }: {
    submissions: Submissions;
    callbacks: Callbacks;
    termsOf: (base64: boolean) => Promise<Terms>;
  },
): void {
  app.post('/submissions', { schema: { hide: true } }, async (request, reply) => {
    const call = callOf(request, reply);
    const { base64, wait, names } = readQuery(request.query);
    const terms = await termsOf(base64);
    const submission = readSubmission(request.body, terms);
    const token = await submissions.take(submission, call);
    callbacks.follow(token, submission.wish, call);
    reply.code(201);
    if (!wait) return { token };
    const taken = await ended(token, submission, { submissions, call });
    try {
      return attributesOf(taken, { names, base64, languages: terms.languages });
    } catch (error) {
      if (error instanceof NotText) return { error: NOT_TEXT, token };
      throw error;
    }
  });
}

/** One that nobody can ask for any more, since its token was never given out, is cancelled, unless its result goes elsewhere. */
async function ended(
  token: string,
  { wish }: Submission,
  { submissions, call }: { submissions: Submissions; call: Call },
) {
  try {
    return await submissions.ended(token, wish, call);
  } finally {
    if (call.signal.aborted && wish.settings.callback_url === null) await submissions.cancel(token, call);
  }
}
