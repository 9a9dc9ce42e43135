import { once } from 'node:events';
import { UsageError } from '../arguments.ts';
import { type Command, SERVER_OPTIONS } from '../command.ts';
import { flushed } from '../print.ts';
import { type DapOptions, listenForEditors, relayDap } from '../relay-dap.ts';
import { serverOf } from '../server-of.ts';

const MAX_PORT = 65_535;

export const dap: Command = {
  usage: ['dap --session SESSION [options]'],
  about: `Speaks the Debug Adapter Protocol for a session, on standard input and output, or for editors that connect to a port of 127.0.0.1, as
whoever uses this machine may.`,
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
    stderr.write(`Editors may connect to port ${await listenForEditors(Number(port), all)} of 127.0.0.1\n`);
    await once(process, 'SIGINT');
    return 0;
  },
};
