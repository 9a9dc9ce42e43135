import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { RpcClient } from '../support/rpc-client.ts';
import { BareServer } from './bare-server.ts';
import { against, type Figure, figure, interleaved, pause, timed } from './measure.ts';
import { openSession, type Setting, subjects } from './setting.ts';

const PACE_MS = 150;
const LARGE_ROUNDS = 10;
/** Without a call for that long the service gives memory back. */
const AT_REST_MS = 12_000;
const KIB = 'x'.repeat(1024);
const TEN_MIB = 'x'.repeat(10 * 1024 * 1024);

/** session.create, from what waits and from nothing. */
export async function creating(setting: Setting): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const subject of subjects(setting)) {
    const rounds = setting.quick || subject.runtimeType === 'Docker' ? 10 : 20;
    for (const [name, { url }] of [
      ['warm', setting.server],
      ['cold', setting.cold],
    ] as const) {
      setting.say(`session.create on ${subject.runtimeType}, ${name}`);
      const client = await openSession(url, subject);
      const samples: number[] = [];
      for (let i = 0; i < rounds; i++) {
        await new Promise(resolve =>
          setTimeout(resolve, PACE_MS * (subject.runtimeType === 'Docker' ? 4 : 1)),
        );
        const { language, runtimeType } = subject;
        let session: { sessionId: string } | undefined;
        samples.push(
          await timed(async () => {
            session = await client.client.call('session.create', { language, runtimeType });
          }),
        );
        await client.client.call('session.close', { sessionId: session!.sessionId });
      }
      await client[Symbol.asyncDispose]();
      figures.push(figure('session.create', `${subject.runtimeType}: ${name}`, 'ms', samples));
    }
  }
  return figures;
}

/**
 * Commands in a warm session of a service that has rested, through the WebSocket, each by turns with a ping; large ones with the least that can
 * answer the same client.
 */
export async function commands(setting: Setting): Promise<Figure[]> {
  const directory = mkdtempSync('/dev/shm/codebeaker-bench-');
  const bare = await BareServer.start(
    directory,
    join(import.meta.dirname, 'bare-files.ts'),
    join(directory, 'f'),
  );
  const least = await RpcClient.connect(bare.url.replace('http', 'ws'), { checked: false });
  try {
    await pause(setting.quick ? 500 : AT_REST_MS);
    return await commandsBeside(setting, command =>
      least.call('session.execute', { sessionId: '', command }),
    );
  } finally {
    await least.close();
    bare.close();
  }
}

async function commandsBeside(
  setting: Setting,
  least: (command: object) => Promise<unknown>,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  const rounds = setting.quick ? 50 : 300;
  for (const subject of subjects(setting)) {
    setting.say(`commands on ${subject.runtimeType}`);
    await using session = await openSession(setting.server.url, subject);
    const ping = () => session.client.call('ping', {});
    const add = async (name: string, command: object, count = rounds) => {
      await interleaved(count / 10, [() => session.run(command)]);
      const [samples, pings] = await interleaved(count, [() => session.run(command), ping]);
      const own = figure('commands', `${subject.runtimeType}: ${name}`, 'ms', samples!);
      figures.push(against(own, figure('commands', 'a ping on the same socket', 'ms', pings!)));
    };
    await add('execute_code, prints 1', { type: 'execute_code', code: subject.print });
    await add('write_file, 1 KiB', { type: 'write_file', path: 'kib', content: KIB });
    await add('read_file, 1 KiB', { type: 'read_file', path: 'kib' });
    await add('execute_shell, true', { type: 'execute_shell', commandName: 'true' }, rounds / 3);
    for (const command of [
      { type: 'write_file', path: 'ten', content: TEN_MIB },
      { type: 'read_file', path: 'ten' },
    ]) {
      const works = [() => session.run(command), () => least(command)];
      await interleaved(2, works);
      const [own, other] = await interleaved(LARGE_ROUNDS, works);
      const name = `${subject.runtimeType}: ${command.type}, 10 MiB`;
      const bare = figure('commands', `${name}: the least`, 'ms', other!);
      figures.push(bare, against(figure('commands', name, 'ms', own!), bare));
    }
  }
  return figures;
}

/** Typed commands against the same through a shell. */
export async function typedCommands(setting: Setting): Promise<Figure[]> {
  const figures: Figure[] = [];
  const rounds = setting.quick ? 30 : 150;
  for (const subject of subjects(setting, 'Python', 'Docker')) {
    setting.say(`typed commands on ${subject.runtimeType}`);
    await using session = await openSession(setting.server.url, subject);
    await session.run({ type: 'write_file', path: 'a', content: KIB });
    const shell = (line: string) => ({ type: 'execute_shell', commandName: 'sh', args: ['-c', line] });
    for (const [typed, line] of [
      [{ type: 'read_file', path: 'a' }, 'cat a'],
      [{ type: 'write_file', path: 'b', content: 'text' }, 'printf text > b'],
      [{ type: 'copy_file', source: 'a', destination: 'c' }, 'cp a c'],
      [{ type: 'list_directory', path: '.' }, 'ls -la'],
    ] as const) {
      const pair = [() => session.run(typed), () => session.run(shell(line))];
      const [own, other] = await interleaved(rounds, pair);
      const name = `${subject.runtimeType}: ${typed.type}`;
      const through = figure('typed commands', `${subject.runtimeType}: sh -c '${line}'`, 'ms', other!);
      figures.push(through, against(figure('typed commands', name, 'ms', own!), through));
    }
  }
  return figures;
}
