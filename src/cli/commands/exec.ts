import type { Session } from '../../client/session.ts';
import { type Arguments, UsageError } from '../arguments.ts';
import { type Command, JSON_OPTION, SERVER_OPTIONS } from '../command.ts';
import { finish } from '../finish.ts';
import { feed, textIn } from '../input.ts';
import { Interruption } from '../interruption.ts';
import { environmentOf, REQUEST_OPTIONS } from '../request-options.ts';
import { clientOf } from '../server-of.ts';

const { env, language } = REQUEST_OPTIONS;

export const exec: Command = {
  usage: ['exec SESSION [options] -- PROGRAM [ARGUMENTS]', 'exec SESSION [options] --code CODE'],
  about: `Runs a program in a session, without a shell in between (-- sh -c '…' has one), or a cell, whose variables stay. It may run as long as
its session; --interactive gives it standard input, and a minute unless --timeout says more. Ctrl-C cancels it, a second one leaves. For a
terminal there is codebeaker shell.`,
  options: {
    code: { type: 'string', short: 'c', value: 'CODE', help: 'a cell; - reads it from standard input' },
    interactive: { type: 'boolean', short: 'i', help: 'standard input is the program’s' },
    language: { ...language, help: 'of the cell; default: the session’s' },
    context: { type: 'string', value: 'NAME', help: 'the interpreter of the cell, of several' },
    timeout: { type: 'string', short: 't', value: 'SECONDS', help: 'its wall time' },
    workdir: {
      type: 'string',
      short: 'w',
      value: 'PATH',
      help: 'where the program starts; default: /workspace',
    },
    env: { ...env, help: 'a variable of the program’s environment; NAME alone takes the value from here' },
    ...JSON_OPTION,
    ...SERVER_OPTIONS,
  },
  async run(args) {
    const [sessionId] = args.only('SESSION');
    using interruption = new Interruption();
    using client = clientOf(args);
    const run = await start(client.attach(sessionId!), args, interruption.signal);
    if (args.flag('interactive')) void feed(process.stdin, run);
    return await finish(run, { json: args.flag('json'), interruption });
  },
};

async function start(session: Session, args: Arguments, signal: AbortSignal) {
  const [code, program] = [args.text('code'), args.rest?.[0]];
  if ((code === undefined) === (program === undefined))
    throw new UsageError('Give either a program behind --, or --code.');
  const timeout = args.number('timeout');
  const interactive = args.flag('interactive');
  const how = { interactive, signal, ...(timeout !== undefined && { timeout }) };
  if (code === undefined) {
    refuse(args, ['language', 'context'], 'a cell');
    const [workingDirectory, environment] = [args.text('workdir'), environmentOf(args)];
    return session.spawn(program!, args.rest!.slice(1), {
      ...how,
      ...(workingDirectory !== undefined && { workingDirectory }),
      ...(Object.keys(environment).length > 0 && { environment }),
    });
  }
  refuse(args, ['workdir', 'env'], 'a program');
  if (code === '-' && interactive)
    throw new UsageError('--code - has read standard input: leave --interactive.');
  const [language, context] = [args.text('language'), args.text('context')];
  return session.start(code === '-' ? await textIn('-') : code, {
    ...how,
    ...(language !== undefined && { language }),
    ...(context !== undefined && { context }),
  });
}

function refuse(args: Arguments, names: readonly string[], kind: string): void {
  const given = names.find(name => args.flag(name));
  if (given !== undefined) throw new UsageError(`--${given} is for ${kind}.`);
}
