import type { Session } from '../../client/session.ts';
import { type Arguments, UsageError } from '../arguments.ts';
import { type Command, SERVER_OPTIONS } from '../command.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { complaintOf } from '../follow.ts';
import { tell } from '../print.ts';
import { environmentOf, REQUEST_OPTIONS, sessionConfigOf } from '../request-options.ts';
import { clientOf } from '../server-of.ts';
import { sizeOf, useTerminal } from '../terminal.ts';

/** The best shell that a sandbox has. */
const SHELL = ['sh', '-c', 'command -v bash >/dev/null && exec bash; exec sh'];

export const shell: Command = {
  usage: [
    'shell SESSION [options] [-- PROGRAM [ARGUMENTS]]',
    'shell new --language NAME [options] [-- PROGRAM [ARGUMENTS]]',
  ],
  about: `A shell, or another program, in a terminal of a session; new makes a session for it alone. All keys are the program's; ~. at the beginning
of a line leaves without it. What the program prints reaches this terminal as it is, as that of another machine does by ssh.`,
  options: {
    ...REQUEST_OPTIONS,
    workdir: { type: 'string', short: 'w', value: 'PATH', help: 'where it starts; default: /workspace' },
    ...SERVER_OPTIONS,
  },
  async run(args) {
    const [name] = args.only('SESSION');
    if (!process.stdin.isTTY || !process.stdout.isTTY)
      throw new UsageError('shell needs a terminal; codebeaker exec --interactive needs none.');
    using client = clientOf(args);
    if (name !== 'new') {
      const given = ['language', 'runtime', 'image', 'memory', 'packages', 'network', 'network-allow'].find(
        each => args.flag(each),
      );
      if (given !== undefined)
        throw new UsageError(`--${given} is for a session that is made: codebeaker shell new.`);
      return await inTerminal(client.attach(name!), args);
    }
    await using session = await client.session(sessionConfigOf(args));
    return await inTerminal(session, args);
  },
};

async function inTerminal(session: Session, args: Arguments): Promise<number> {
  const [program = 'sh', ...rest] = args.rest?.length ? args.rest : SHELL;
  const workingDirectory = args.text('workdir');
  const environment = { TERM: process.env.TERM || 'xterm', ...environmentOf(args) };
  const run = await session.terminal(program, rest, {
    ...sizeOf(process.stdout),
    environment,
    ...(workingDirectory !== undefined && { workingDirectory }),
  });
  if ((await useTerminal(run, process)) === 'left') {
    const isNew = args.operands[0] === 'new';
    tell(isNew ? 'left; its session is closed' : `left; it goes on in session ${session.id}`);
    return 0;
  }
  const result = await run.result();
  const complaint = complaintOf(result);
  if (complaint !== undefined) tell(complaint);
  return exitCodeOf(result);
}
