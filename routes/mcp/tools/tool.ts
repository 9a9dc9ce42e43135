import type { ContentBlock, ToolAnnotations } from '@modelcontextprotocol/server';
import type { Static, TObject, TSchema } from '@sinclair/typebox';
import { Type } from '@sinclair/typebox';
import type { CommandRequest } from '../../../src/commands/index.ts';
import type { Call } from '../../../src/service/call.ts';
import type { Sessions } from '../../../src/service/service.ts';

/**
 * What a client may call by MCP. This folder holds one file per tool: its name, what it takes and gives, and how a command of a
 * session becomes of it; `index.ts` is the only registration.
 */
export interface Tool<I extends TObject = TObject, O extends TSchema = TSchema> {
  readonly name: string;
  readonly title: string;
  /** Read by models, to choose from. */
  readonly description: string;
  readonly input: I;
  readonly output: O;
  readonly annotations: ToolAnnotations;
  run(args: Static<I>, use: ToolUse): Promise<ToolAnswer<Static<O>>>;
}

/** What a tool may use. */
export interface ToolUse {
  readonly sessions: Sessions;
  readonly call: Call;
  /** Runs a command in the session that is named, or else in the caller's own; what it prints is told as progress. */
  run(command: ToolCommand): Promise<Ran>;
  /** Ends the caller's own sessions; resolves to their ids. */
  leave(): Promise<string[]>;
}

export interface ToolCommand {
  /** Undefined: the caller's own. */
  readonly sessionId: string | undefined;
  /** Of the caller's own session, if it is begun by this; default: Python. */
  readonly language?: string | undefined;
  readonly type: CommandRequest['type'];
  readonly params: object;
}

/** What came of a command, and where. */
export interface Ran {
  readonly session: { readonly sessionId: string; readonly sessionBegan: boolean };
  readonly success: boolean;
  readonly result: unknown;
  readonly error: string | null;
}

export interface ToolAnswer<R> {
  /** For models, in order. */
  readonly content: ContentBlock[];
  /** The same for programs; undefined when the tool could not do its work at all. */
  readonly structured?: R | undefined;
  readonly failed: boolean;
}

export const DEFAULT_LANGUAGE = 'python';

/** Fields that several tools share. */
export const sessionId = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 256,
    description: 'A session to use; without it your own, which is begun when it is first needed',
  }),
);
/** Which session it was, in every answer that comes from one. */
export const inSession = {
  sessionId: Type.String(),
  sessionBegan: Type.Boolean({
    description: 'The session began with this call: no files and variables of earlier calls are there',
  }),
};

/** Keeps the types of a tool's schemas. */
export function defineTool<I extends TObject, O extends TSchema>(tool: Tool<I, O>): Tool<I, O> {
  return tool;
}

export const text = (words: string): ContentBlock => ({ type: 'text', text: words });

/** Parts of a text, each on lines of its own; what is empty is left out. */
export function onLines(parts: readonly (string | false | null | undefined)[]): string {
  const lines = parts.filter(part => typeof part === 'string' && part !== '') as string[];
  return lines
    .map((part, at) => (at < lines.length - 1 && !part.endsWith('\n') ? `${part}\n` : part))
    .join('');
}

/** Of a command that could not do its work. */
export function failure({ error, session }: Ran): ToolAnswer<never> {
  const fresh = session.sessionBegan ? `\n(${session.sessionId} is a new session: it has no files yet)` : '';
  return { content: [text(`${error ?? 'It failed'}${fresh}`)], failed: true };
}
