import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createRpc } from '../../src/rpc/index.ts';
import { EventLog } from '../../src/service/events/event-log.ts';
import { log, ServiceDouble } from '../rpc/service-double.ts';
import { standStill } from './support/clock.ts';
import { openService } from './support/open-service.ts';
import { ends } from './support/scripts.ts';

/** Texts that are several times as large in JSON, or in UTF-8, as they have characters. */
standStill();
const MB = 1024 * 1024;
const CONTROL = '\u0001';

/** Output files of a run that wrote them. */
async function filesOf(contents: Record<string, Buffer>) {
  const { run } = openService({
    script: (_, { sandbox: { files } }) => {
      for (const [path, data] of Object.entries(contents)) files.contents.set(`/workspace/${path}`, data);
      return {};
    },
  });
  return (await run({ outputFiles: Object.keys(contents) })).files;
}

describe('a file that comes back', () => {
  it.each([
    ['control characters', CONTROL.repeat(1000)],
    ['the same among text', `${'text '.repeat(50)}${CONTROL.repeat(500)}`],
    ['nothing but escapes of a terminal', '\u001b[0m'.repeat(1000)],
    ['UTF-16', Buffer.from('many words', 'utf16le')],
    ['no UTF-8', Buffer.from([255, 254])],
  ])('is base64 where it is %s', async (_, content) => {
    const data = Buffer.from(content as string);
    expect(await filesOf({ a: data })).toEqual([
      { path: 'a', content: data.toString('base64'), encoding: 'base64' },
    ]);
  });

  it.each(['', 'text\n', '"\\\n\t'.repeat(100), 'é日😀', '\u001b[31mred text\u001b[0m\n'])(
    'is text where it is text: %j',
    async content => {
      expect(await filesOf({ a: Buffer.from(content) })).toEqual([{ path: 'a', content, encoding: 'utf8' }]);
    },
  );

  it('takes at most twice its bytes in the answer', async () => {
    const data = Buffer.alloc(8 * MB, 1);
    expect(JSON.stringify(await filesOf({ a: data })).length).toBeLessThan(2 * data.byteLength);
  });
});

describe('read_file', () => {
  async function reads(data: Uint8Array, fields: object = {}) {
    const { session, runtime } = openService({ script: ends() });
    const opened = await session();
    await runtime.last.files.write('/workspace/a', data);
    return opened.execute({ type: 'read_file', path: 'a', ...fields });
  }

  it('gives base64 of control characters, unless it is asked for text', async () => {
    const data = Buffer.from(CONTROL.repeat(9));
    expect((await reads(data)).result.result).toMatchObject({
      encoding: 'base64',
      content: data.toString('base64'),
      bytes: 9,
    });
    expect((await reads(data, { encoding: 'utf8' })).result.result).toMatchObject({
      encoding: 'utf8',
      content: CONTROL.repeat(9),
    });
  });

  it('refuses to give as text what would be too large as JSON', async () => {
    await expect(reads(Buffer.alloc(11 * MB, 1), { encoding: 'utf8' })).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      field: 'command.encoding',
    });
  });
});

describe('events', () => {
  it.each([
    ['control characters', CONTROL],
    ['characters of three bytes', '日'],
  ])('of %s are kept by what they take when they are sent', (_, character) => {
    const kept = new EventLog(200_000);
    for (let i = 0; i < 500; i++)
      kept.append('execution.output', {
        executionId: 'e',
        sessionId: 's',
        commandId: 'c',
        stream: 'stdout',
        text: character.repeat(2000),
      });
    expect(Buffer.byteLength(JSON.stringify(kept.events()))).toBeLessThan(1.5 * 200_000);
  });
});

describe('answers', () => {
  it.each([
    ['control characters', CONTROL, 6],
    ['characters of three bytes', '日', 3],
  ])('of a batch are bounded in bytes: %s', async (_, character, bytes) => {
    const service = new ServiceDouble();
    const sent: string[] = [];
    const outlet = {
      send: (text: string, gone: () => void) => {
        sent.push(text);
        gone();
      },
      room() {},
    };
    const connection = createRpc({ service, log: pino({ level: 'silent' }) }).connect({
      owner: null,
      client: 'test',
      log,
      outlet,
    });
    const { signal } = new AbortController();
    const call = { id: '1', owner: null, client: 'test', lane: null, signal, log };
    const environment = { A: character.repeat(MB) };
    const { sessionId } = await service.sessions.create({ language: 'python', environment }, call);
    const many = Array.from({ length: 40 }, (_, id) => ({
      jsonrpc: '2.0',
      id,
      method: 'session.get',
      params: { sessionId },
    }));
    await connection.receive(JSON.stringify(many));
    connection.close();
    const answers = JSON.parse(sent[0]!) as { result?: object }[];
    expect(answers).toHaveLength(40);
    expect(answers.filter(({ result }) => result)).toHaveLength(Math.floor(63.9 / bytes));
    expect(Buffer.byteLength(sent[0]!)).toBeLessThan(65 * MB);
  });
});
