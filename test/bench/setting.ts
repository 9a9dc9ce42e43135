import { http } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import type { RunningServer } from '../support/start-server.ts';

/** What every measurement is given. */
export interface Setting {
  /** With warm sandboxes, as it starts by itself. */
  readonly server: RunningServer;
  /** Without any. */
  readonly cold: RunningServer;
  readonly available: ReadonlySet<string>;
  /** Fewer rounds, for a look. */
  readonly quick: boolean;
  say(what: string): void;
}

/** A runtime, a language that it is measured with, and what a short program in it is. */
export interface Subject {
  readonly runtimeType: string;
  readonly language: string;
  readonly print: string;
  readonly nothing: string;
}

const SUBJECTS: readonly Subject[] = [
  { runtimeType: 'Bun', language: 'javascript', print: 'console.log(1)', nothing: ';' },
  { runtimeType: 'Python', language: 'python', print: 'print(1)', nothing: 'pass' },
  { runtimeType: 'Deno', language: 'javascript', print: 'console.log(1)', nothing: ';' },
  { runtimeType: 'NodeJs', language: 'javascript', print: 'console.log(1)', nothing: ';' },
  { runtimeType: 'Docker', language: 'python', print: 'print(1)', nothing: 'pass' },
];

export function subjects({ available }: Setting, ...only: string[]): Subject[] {
  return SUBJECTS.filter(
    ({ runtimeType }) => available.has(runtimeType) && (only.length === 0 || only.includes(runtimeType)),
  );
}

export async function oneShot(url: string, { language, runtimeType, nothing }: Subject): Promise<void> {
  const answer = await http(`${url}/api/execution?wait=true`, 'POST', {
    language,
    runtimeType,
    code: nothing,
  });
  if (answer.body.outcome !== 'ok') throw new Error(JSON.stringify(answer.body));
}

/** A session and a way to give it commands; closed with the block. */
export async function openSession(url: string, { language, runtimeType }: Subject, more: object = {}) {
  const client = await RpcClient.connect(`${url.replace('http', 'ws')}/ws/jsonrpc`);
  const { sessionId, environmentId } = await client.call('session.create', {
    language,
    runtimeType,
    ...more,
  });
  return {
    client,
    sessionId: sessionId as string,
    environmentId: environmentId as string,
    run: async (command: object) => {
      const answer = await client.call('session.execute', { sessionId, command });
      if (!answer.success) throw new Error(answer.error);
      return answer.result;
    },
    async [Symbol.asyncDispose]() {
      await client.call('session.close', { sessionId });
      await client.close();
    },
  };
}
