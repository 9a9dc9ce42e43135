import type { RunEvent } from '../../client/inbox.ts';
import { bytesOf } from '../../client/run.ts';
import { type Command, JSON_OPTION, SERVER_OPTIONS } from '../command.ts';
import { inWords } from '../follow.ts';
import { Interruption } from '../interruption.ts';
import { tell, write } from '../print.ts';
import { jsonOf } from '../printable.ts';
import { clientOf } from '../server-of.ts';

export const logs: Command = {
  usage: ['logs SESSION [options]'],
  about: `Prints what programs and cells of a session have told, as far as it is kept: output as it was printed, to where it was printed, and
when they began and ended on standard error. With --json each event is a line. Those of calls that asked for no events are not among them.`,
  options: {
    follow: { type: 'boolean', short: 'f', help: 'go on with what comes, until the session has ended' },
    after: { type: 'string', value: 'SEQ', help: 'only events behind that number' },
    ...JSON_OPTION,
    ...SERVER_OPTIONS,
  },
  async run(args) {
    const [sessionId] = args.only('SESSION');
    args.withoutRest();
    using interruption = new Interruption();
    using client = clientOf(args);
    const json = args.flag('json');
    const events = client
      .attach(sessionId!)
      .events({ after: args.number('after') ?? 0, follow: args.flag('follow') });
    const print = async () => {
      for await (const event of events)
        await (json ? write(process.stdout, `${jsonOf(event)}\n`) : show(event));
    };
    await Promise.race([print(), interrupted(interruption.signal)]);
    return 0;
  },
};

const interrupted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );

async function show(event: RunEvent): Promise<void> {
  switch (event.type) {
    case 'output':
      return write(event.stream === 'stdout' ? process.stdout : process.stderr, bytesOf(event));
    case 'started':
      return tell(`${event.seq} ${event.commandId} began`);
    case 'completed': {
      const { seq, commandId, outcome, status, exitCode } = event;
      const code = exitCode === null ? '' : `, exit code ${exitCode}`;
      return tell(`${seq} ${commandId} ${outcome ?? status}${code}`);
    }
    case 'lost':
      return tell(`${event.count} events before are not kept any more`);
    case 'progress':
      return tell(`${event.seq} ${inWords(event)}`);
    case 'result':
      return tell(`${event.seq} a result: ${Object.keys(event.mimeBundle).join(', ')}`);
    default:
      return tell(`${event.seq} ${event.type}`);
  }
}
