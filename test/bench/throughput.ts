import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { RpcClient } from '../support/rpc-client.ts';
import { BARE, Bare } from './bare.ts';
import { IMAGE, PYTHON } from './docker.ts';
import { judge, startGoJudge } from './go-judge.ts';
import { against, type Figure, figure, pause } from './measure.ts';
import { oneShot, type Setting, subjects } from './setting.ts';

const WINDOW_MS = 2000;
const TURNS = 5;
/** Between two windows, for what the last one left to be done. */
const REST_MS = 400;

/** Something that several clients do at once, over and over; `prepare` gives each client its own way to do it. */
interface Contender {
  readonly name: string;
  readonly prepare: () => Promise<{ run(): Promise<unknown>; close(): Promise<void> }>;
}

/**
 * Fresh sandboxes, one after the other, by several clients at once: ours, bare processes or containers and, where its binary is named, go-judge.
 * They take turns in one run, so that what else the machine does hits all alike. Each figure is of one window's runs a second.
 */
export async function throughput(setting: Setting): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  const figures: Figure[] = [];
  try {
    for (const clients of [1, 4, 8]) {
      const rival = await startGoJudge(clients);
      try {
        for (const { runtimeType, contenders } of races(setting, directory, rival)) {
          setting.say(`throughput of ${runtimeType}, ${clients} clients`);
          const names = contenders.map(({ name }) => `${runtimeType}, ${clients} at once: ${name}`);
          const samples = await turns(contenders, clients, setting.quick);
          const [own, ...others] = samples.map((each, i) => figure('throughput', names[i]!, '/s', each));
          figures.push(own!, ...others.map(other => against(other, own!)));
        }
      } finally {
        await rival?.close();
      }
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return figures;
}

type Rival = Awaited<ReturnType<typeof startGoJudge>>;

function races(
  setting: Setting,
  directory: string,
  rival: Rival,
): { runtimeType: string; contenders: Contender[] }[] {
  const programs = subjects(setting, 'Bun', 'Python', 'Docker').map(subject => {
    const { runtimeType, nothing } = subject;
    const name = `${runtimeType}.${runtimeType === 'Bun' ? 'js' : 'py'}`;
    const file = join(directory, name);
    writeFileSync(file, nothing);
    const contenders = [shared('a one-shot', () => oneShot(setting.server.url, subject))];
    if (runtimeType === 'Docker') return { runtimeType, contenders: [...contenders, bareContainer()] };
    const argv = BARE[runtimeType]!(file);
    contenders.push(bareProcess(argv));
    const inside = runtimeType === 'Bun' ? '/bun/bun.exe' : argv[0];
    if (rival) contenders.push(shared('go-judge', () => judge(rival, [inside, name], name, nothing)));
    return { runtimeType, contenders };
  });
  const nothing = [batchOfTrue(setting), sessionOfTrue(setting), bareProcess(['/usr/bin/true'])];
  if (rival) nothing.push(shared('go-judge', () => judge(rival, ['/usr/bin/true'])));
  return [...programs, { runtimeType: 'true', contenders: nothing }];
}

function shared(name: string, run: () => Promise<unknown>): Contender {
  return { name, prepare: async () => ({ run, close: async () => {} }) };
}

function bareProcess(argv: [string, ...string[]]): Contender {
  return {
    name: 'a bare process',
    prepare: async () => {
      const starter = new Bare();
      return { run: () => starter.run(...argv), close: async () => starter.close() };
    },
  };
}

/** All that an engine must do for a container of its own: no wall of ours, no network, no log. */
function bareContainer(): Contender {
  const docker = new Docker();
  return shared('a bare container', async () => {
    const container = await docker.createContainer({
      Image: IMAGE,
      Cmd: PYTHON,
      HostConfig: { NetworkMode: 'none', LogConfig: { Type: 'none', Config: {} } },
    });
    await container.start();
    await container.wait();
    await container.remove();
  });
}

const TRUE = { type: 'execute_shell', commandName: 'true' };

/** `true` in a session of its own, by one call. */
function batchOfTrue({ server, available }: Setting): Contender {
  const language = available.has('Bun') ? 'javascript' : 'python';
  return {
    name: 'a batch of one',
    prepare: async () => {
      const client = await RpcClient.connect(server.wsUrl);
      const run = async () => {
        const { success } = await client.call('execution.runCommands', { language, commands: [TRUE] });
        if (!success) throw new Error('`true` has failed');
      };
      return { run, close: () => client.close() };
    },
  };
}

/** A session is made, runs `true` and is closed. */
function sessionOfTrue({ server, available }: Setting): Contender {
  const language = available.has('Bun') ? 'javascript' : 'python';
  return {
    name: 'a session',
    prepare: async () => {
      const client = await RpcClient.connect(server.wsUrl);
      const run = async () => {
        const { sessionId } = await client.call('session.create', { language });
        await client.call('session.execute', { sessionId, command: TRUE });
        await client.call('session.close', { sessionId });
      };
      return { run, close: () => client.close() };
    },
  };
}

/** Runs a second, per contender a figure for each of its windows. */
async function turns(contenders: readonly Contender[], clients: number, quick: boolean): Promise<number[][]> {
  const samples: number[][] = contenders.map(() => []);
  for (let turn = 0; turn < (quick ? 1 : TURNS); turn++) {
    for (const [i, { prepare }] of contenders.entries()) {
      const workers = await Promise.all(Array.from({ length: clients }, prepare));
      await pause(REST_MS);
      const startedAt = performance.now();
      const until = startedAt + (quick ? WINDOW_MS / 4 : WINDOW_MS);
      let done = 0;
      const work = async (worker: { run(): Promise<unknown> }) => {
        while (performance.now() < until) {
          await worker.run();
          done++;
        }
      };
      await Promise.all(workers.map(work));
      samples[i]!.push((done * 1000) / (performance.now() - startedAt));
      await Promise.all(workers.map(worker => worker.close()));
    }
  }
  return samples;
}
