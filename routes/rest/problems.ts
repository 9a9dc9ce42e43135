import { Problem } from '../../src/schemas/problem.ts';

const WORDS = {
  400: 'A field is wrong; the message names it',
  401: 'No valid key',
  403: 'A foreign Origin or Host',
  404: 'Nothing of that name, or not yours',
  409: 'Not in this state',
  413: 'Over 32 MiB',
  415: 'Not application/json',
  422: 'Fine in itself, and nothing here can honour it',
  429: 'Too much; try again after Retry-After seconds',
  500: 'Our fault',
  503: 'Too busy; try again after Retry-After seconds',
} as const;

/** The refusals of an operation, for its `response` schemas. */
export function problems(...statuses: (keyof typeof WORDS)[]) {
  const all = [...statuses, 401, 403, 429, 500] as const;
  return Object.fromEntries(all.map(status => [status, { ...Problem, description: WORDS[status] }]));
}
