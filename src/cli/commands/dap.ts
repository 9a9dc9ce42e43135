import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodeBeakerError, isUnanswered } from '../../client/codebeaker-error.ts';
import type { Session } from '../../client/session.ts';
import { UsageError } from '../arguments.ts';
import { type Command, SERVER_OPTIONS } from '../command.ts';
import { flushed } from '../print.ts';
import { type DapOptions, listenForEditors, relayDap } from '../relay-dap.ts';
import { clientOf, serverOf } from '../server-of.ts';

const MAX_PORT = 65_535;
/** Between two looks whether the session is there still, which don't count as its use. */
const LOOK_MS = 3000;

export const dap: Command = {
  usage: ['dap --session SESSION [options]'],
  about: `Speaks the Debug Adapter Protocol for a session, on standard input and output, or for editors that connect to a port of 127.0.0.1, as
whoever uses this machine may, until the session or its server is gone.`,
  options: {
    session: { type: 'string', value: 'SESSION', help: 'the id of a session' },
    port: { type: 'string', value: 'N', help: 'listen for editors; 0 picks one and prints it' },
    language: { type: 'string', value: 'NAME', help: 'default: the session’s' },
    ...SERVER_OPTIONS,
  },
  async run(args) {
    args.withoutRest();
    args.only();
    const [sessionId, port, language] = [args.text('session'), args.text('port'), args.text('language')];
    if (!sessionId) throw new UsageError('--session is missing: the id of a session.');
    if (port !== undefined && !(/^\d+$/.test(port) && Number(port) <= MAX_PORT))
      throw new UsageError(`--port can't be ${JSON.stringify(port)}: must be a number up to ${MAX_PORT}.`);
    const { stdin, stdout, stderr } = process;
    const all: DapOptions = { ...serverOf(args), sessionId, language, complaints: stderr };
    if (port === undefined) {
      await relayDap(stdin, stdout, all);
      await flushed(stdout);
      return 0;
    }
    using client = clientOf(args);
    const session = client.attach(sessionId);
    await session.info();
    stderr.write(`Editors may connect to port ${await listenForEditors(Number(port), all)} of 127.0.0.1\n`);
    await Promise.race([once(process, 'SIGINT'), untilGone(session)]);
    return 0;
  },
};

/** @throws {CodeBeakerError} with why there is nothing more to debug: an answer that does not come once may be an accident */
async function untilGone(session: Session): Promise<never> {
  for (let missed = 0; ; ) {
    await sleep(LOOK_MS);
    try {
      await session.info();
      missed = 0;
    } catch (error) {
      const isBusy = error instanceof CodeBeakerError && error.retryAfter !== undefined;
      if (isUnanswered(error) ? ++missed > 1 : !isBusy) throw error;
    }
  }
}
