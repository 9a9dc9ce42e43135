import type { SessionInfo } from '../../client/wire.ts';
import { nearest } from '../../nearest.ts';
import { type Arguments, UsageError } from '../arguments.ts';
import { type Command, JSON_OPTION, SERVER_OPTIONS } from '../command.ts';
import { printJson, write } from '../print.ts';
import { printable, table } from '../printable.ts';
import { REQUEST_OPTIONS, sessionConfigOf } from '../request-options.ts';
import { clientOf } from '../server-of.ts';

const ACTIONS: Readonly<Record<string, (args: Arguments) => Promise<void>>> = { create, list, show, close };

export const session: Command = {
  usage: [
    'session create --language NAME [options]',
    'session list [--json]',
    'session show SESSION [--json]',
    'session close SESSION…',
  ],
  about: `Sessions keep files and interpreters until they are closed or time out. create prints the id of a new one, by which the other commands
name it.`,
  options: {
    ...REQUEST_OPTIONS,
    idle: { type: 'string', value: 'MINUTES', help: 'it ends after so long without use; default: 30' },
    lifetime: { type: 'string', value: 'MINUTES', help: 'it ends after so long in any case; default: 120' },
    ...JSON_OPTION,
    ...SERVER_OPTIONS,
  },
  async run(args) {
    args.withoutRest();
    const [action] = args.operands;
    if (action === undefined)
      throw new UsageError(`What to do with sessions is missing: ${Object.keys(ACTIONS).join(', ')}.`);
    if (!Object.hasOwn(ACTIONS, action)) {
      const meant = nearest(action, Object.keys(ACTIONS));
      throw new UsageError(
        `session can't ${JSON.stringify(action)}; ${meant ? `did you mean ${meant}?` : `there are ${Object.keys(ACTIONS).join(', ')}.`}`,
      );
    }
    await ACTIONS[action]!(args);
    return 0;
  },
};

async function create(args: Arguments): Promise<void> {
  args.only('create');
  using client = clientOf(args);
  const made = await client.session(sessionConfigOf(args));
  if (args.flag('json')) await printJson(await made.info());
  else await write(process.stdout, `${printable(made.id)}\n`);
}

async function list(args: Arguments): Promise<void> {
  args.only('list');
  using client = clientOf(args);
  const all: SessionInfo[] = [];
  for await (const each of client.sessions()) all.push(each);
  if (args.flag('json')) return printJson(all);
  const rows = all.map(rowOf);
  await write(
    process.stdout,
    `${table([['session', 'language', 'runtime', 'state', 'commands', 'idle', 'age'], ...rows])}\n`,
  );
}

const rowOf = ({
  sessionId,
  language,
  runtimeType,
  state,
  executionCount,
  idleMinutes,
  lifetimeMinutes,
}: SessionInfo) => [
  sessionId,
  language,
  runtimeType,
  state,
  String(executionCount),
  minutes(idleMinutes),
  minutes(lifetimeMinutes),
];

const minutes = (value: number) => `${value.toFixed(1)} min`;

async function show(args: Arguments): Promise<void> {
  const [, id] = args.only('show', 'SESSION');
  using client = clientOf(args);
  const info = await client.attach(id!).info();
  if (args.flag('json')) return printJson(info);
  const rows = Object.entries(info).map(([name, value]) => [
    name,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ]);
  await write(process.stdout, `${table(rows)}\n`);
}

async function close(args: Arguments): Promise<void> {
  const [, ...ids] = args.operands;
  if (ids.length === 0) throw new UsageError('SESSION is missing.');
  using client = clientOf(args);
  for (const id of ids) await client.attach(id).close();
}
