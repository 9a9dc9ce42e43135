import { ServiceError } from '../../src/errors.ts';
import type { ExecutionEvent } from '../../src/schemas/events.ts';
import { isObject } from '../../src/schemas/is-object.ts';
import { LIMITS } from '../../src/schemas/limits.ts';
import type { Interpreter } from './interpreter.ts';
import type { Fields } from './message.ts';
import { shownBy } from './tag.ts';
import { tracebackLines } from './traceback-lines.ts';

/** Most expressions that are answered. */
const MOST_EXPRESSIONS = 100;
const LEFT_OUT = `\nOf what this cell showed, all over ${LIMITS.resultsBytes / 1024 / 1024} MiB was left out.\n`;
const NO_CODE = `content.code: must be a string of at most ${LIMITS.codeLength} characters`;

/** What an `execute_request` may use. */
export interface Cellwork {
  readonly interpreter: Interpreter;
  /** Of the cell, as its client counts them. */
  readonly count: number;
  /** Tells every client; resolves when they have room for more. */
  broadcast(type: string, content: Fields, metadata?: Fields): Promise<void>;
  /** Asks the client who sent the cell, until it answers, it goes or the cell ends; resolves when the question is on its way. */
  ask(prompt: string, hidden: boolean): Promise<void>;
}

export interface Executed {
  readonly content: Fields;
  readonly failed: boolean;
  /** The interpreter has ended, and another has taken its place. */
  readonly lost: boolean;
}

/** Runs the cell of an `execute_request`; resolves to its reply's content when all that it showed has been told. */
export async function execute(content: Fields, work: Cellwork): Promise<Executed> {
  const { code } = content;
  const silent = content.silent === true;
  const ok = { status: 'ok', execution_count: work.count, user_expressions: {}, payload: [] };
  const fail = async (failure: Fields, lost = false): Promise<Executed> => {
    await work.broadcast('error', failure);
    return { content: { ...ok, ...failure, status: 'error' }, failed: true, lost };
  };
  if (typeof code !== 'string') return fail(failureOf('VALIDATION_ERROR', NO_CODE));
  if (!silent) await work.broadcast('execute_input', { code, execution_count: work.count });
  const whole = async () => ({ ...ok, user_expressions: await evaluate(content, work.interpreter) });
  if (code.trim() === '') return { content: await whole(), failed: false, lost: false };
  const asks = content.allow_stdin !== false;
  let failure: Fields | null = null;
  let lost = false;
  try {
    const ran = await work.interpreter.run({ code, asks, count: work.count }, event =>
      tell(event, { silent, asks }, work),
    );
    lost = ran.lost;
    if (ran.leftOut) await work.broadcast('stream', { name: 'stderr', text: LEFT_OUT });
    // A limit is the cause of what it has the program fail with.
    if (ran.why) failure = failureOf(ran.why.word, ran.why.words);
    else if (ran.error) failure = failureOf(ran.error.name, ran.error.message, ran.error.traceback);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    failure =
      error.code === 'CANCELLED' ? failureOf('KeyboardInterrupt', '') : failureOf(error.code, error.message);
  }
  if (!failure) return { content: await whole(), failed: false, lost };
  return fail(failure, lost);
}

/** An exception as the protocol has it: its traceback by lines. */
export function failureOf(ename: string, evalue: string, traceback = `${ename}: ${evalue}`): Fields {
  return { ename, evalue, traceback: tracebackLines(traceback) };
}

async function tell(
  event: ExecutionEvent,
  { silent, asks }: { silent: boolean; asks: boolean },
  work: Cellwork,
): Promise<void> {
  if (event.method === 'execution.output') {
    const { stream, text, data } = event.params;
    return work.broadcast('stream', {
      name: stream,
      text: text ?? Buffer.from(data ?? '', 'base64').toString('utf8'),
    });
  }
  if (event.method !== 'execution.result') return;
  const shown = shownBy(event.params.mimeBundle);
  if (shown.kind === 'value') {
    const value = { data: shown.data, metadata: {}, execution_count: work.count };
    if (!silent) await work.broadcast('execute_result', value);
  } else if (shown.kind === 'clear') await work.broadcast('clear_output', { wait: shown.wait });
  else if (shown.kind === 'input') {
    if (asks) await work.ask(shown.prompt, shown.hidden);
  } else if (shown.kind !== 'reply') {
    const { kind, data, metadata, id } = shown;
    const transient = id === undefined ? {} : { display_id: id };
    await work.broadcast(kind === 'update' ? 'update_display_data' : 'display_data', {
      data,
      metadata,
      transient,
    });
  }
}

/** What a client wants to know beside its cell, each by a name of its own. */
async function evaluate({ user_expressions }: Fields, interpreter: Interpreter): Promise<Fields> {
  if (!isObject(user_expressions)) return {};
  const wanted = Object.entries(user_expressions).slice(0, MOST_EXPRESSIONS);
  if (wanted.length === 0) return {};
  const texts = wanted.map(([name, text]) => [name, typeof text === 'string' ? text : '']);
  const reply = await interpreter.ask('evaluate', JSON.stringify(Object.fromEntries(texts)));
  return Object.fromEntries(wanted.map(([name]) => [name, worth(reply?.[name])]));
}

function worth(told: unknown): Fields {
  if (!isObject(told))
    return { status: 'error', ...failureOf('NotImplementedError', 'nothing here says what it is worth') };
  const { data, name, message, traceback } = told;
  if (isObject(data)) return { status: 'ok', data, metadata: {} };
  return { status: 'error', ...failureOf(textOf(name), textOf(message), textOf(traceback)) };
}

/** A program may have put anything in a text's place, also what no text can be made from. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
