import { expect } from 'vitest';
import { type Answer, http } from '../../support/rest-client.ts';
import type { Script } from '../support/memory-process.ts';
import { openHttp } from '../support/open-http.ts';
import type { ServiceOptions } from '../support/open-service.ts';

/** The door over a runtime in memory that has Python, whose programs do what a script says. */
export async function openJudge0(
  script: Script,
  environment: Record<string, string> = {},
  settings: ServiceOptions['settings'] = {},
) {
  const all = await openHttp(environment, { script, settings });
  const ask = (path: string, method = 'GET', body?: unknown, headers = {}): Promise<Answer> =>
    http(`${all.url}/judge0${path}`, method, body, headers);
  return {
    ...all,
    ask,
    /** Takes a program of Python and waits for its result. */
    run: async (more: object = {}, query = '') => {
      const answer = await ask(`/submissions?wait=true${query}`, 'POST', { ...python, ...more });
      expect(answer.status).toBe(201);
      return answer.body;
    },
  };
}

export const python = { source_code: 'print(1)', language_id: 71 };
