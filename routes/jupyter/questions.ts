import { ServiceError } from '../../src/errors.ts';
import { failureOf } from './execute.ts';
import type { History } from './history.ts';
import type { Interpreter } from './interpreter.ts';
import type { Fields } from './message.ts';

/** Most characters of what is asked about: a cell's own. */
const MOST_LENGTH = 100_000;

/** What an answer is made from. */
export interface Asked {
  readonly interpreter: Interpreter;
  readonly history: History;
  readonly info: () => Promise<Fields>;
}

/** Requests that run no cell, by their type; what each answers. */
export const QUESTIONS: Readonly<Record<string, (content: Fields, asked: Asked) => Promise<Fields>>> = {
  kernel_info_request: (_, { info }) => info(),

  async complete_request(content, { interpreter }) {
    const [code, cursor] = placeIn(content);
    const reply = code === null ? null : await interpreter.ask('complete', code, cursor);
    const matches = Array.isArray(reply?.matches) ? reply.matches.filter(isString) : [];
    const start = isPlace(reply?.start, cursor) ? reply.start : cursor;
    return { status: 'ok', matches, cursor_start: start, cursor_end: cursor, metadata: {} };
  },

  async inspect_request(content, { interpreter }) {
    const [code, cursor] = placeIn(content);
    const detail = content.detail_level === 1 ? 1 : 0;
    const reply = code === null ? null : await interpreter.ask('inspect', code, cursor, detail);
    const text = isString(reply?.text) ? reply.text : '';
    return { status: 'ok', found: text !== '', data: text ? { 'text/plain': text } : {}, metadata: {} };
  },

  async is_complete_request(content, { interpreter }) {
    const [code] = placeIn(content);
    const reply = code === null ? null : await interpreter.ask('is_complete', code);
    const status = STATES.find(each => each === reply?.status) ?? 'unknown';
    if (status !== 'incomplete') return { status };
    return { status, indent: isString(reply?.indent) ? reply.indent.slice(0, 1000) : '' };
  },

  async history_request(content, { history }) {
    try {
      return { status: 'ok', history: history.read(content) };
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      return { status: 'error', ...failureOf(error.code, error.message), history: [] };
    }
  },

  comm_info_request: async () => ({ status: 'ok', comms: {} }),
};

const STATES = ['complete', 'incomplete', 'invalid'] as const;

/** Code and where its cursor is, in code points; null where there is nothing to look at. */
function placeIn({ code, cursor_pos }: Fields): [string | null, number] {
  if (!isString(code) || code.length > MOST_LENGTH || !code.isWellFormed()) return [null, 0];
  const length = [...code].length;
  return [code, isPlace(cursor_pos, length) ? cursor_pos : length];
}

const isString = (value: unknown): value is string => typeof value === 'string';

const isPlace = (value: unknown, most: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
