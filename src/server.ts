import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { ConfigError, describeSettings, readConfig } from './config.ts';
import { checkPort } from './port-check.ts';
import type { Service } from './service/service.ts';
import { onShutdown } from './shutdown.ts';

/**
 * The server process: reads the configuration, looks whether its port is free, starts, and on a signal closes
 * everything in reverse order. A failed start prints one sentence and exits with code 1.
 */

const HELP_OPTIONS = ['--help', '-h'];
const HELP = `npm start runs the service. It is set by environment variables:

  PORT=8080 CODEBEAKER_MAX_SESSIONS=50 npm start

  npm start -- --settings   lists every setting with its value here and what it means
  npm start -- --help       prints this

Once it runs, http://127.0.0.1:5039/docs shows the whole API and tries it out. README.md says how it is used, deployed and protected.`;

/**
 * What Node.js compiles of the service, kept for the next start: beside the code, because it is run as that is. A user who
 * can't write there starts without it.
 */
const COMPILED = fileURLToPath(new URL('../node_modules/.cache/codebeaker', import.meta.url));
/** Files are readable by the service's user only. */
const PRIVATE = 0o077;

process.umask(PRIVATE);
const closing = new AsyncDisposableStack();
let service: Service | undefined;
try {
  const asked = questionOf(process.argv.slice(2));
  if (asked === 'help') {
    console.log(HELP);
    process.exit(0);
  }
  const config = readConfig(process.env);
  if (asked === 'settings') {
    console.log(describeSettings(config));
    process.exit(0);
  }
  const log = pino({ level: config.logLevel });
  // An unexpected error in one piece of work must not end everybody else's.
  process.on('unhandledRejection', err => log.error({ err }, 'a rejection that nobody awaited'));
  // Whoever reads what it prints may go away before it.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const { drainSeconds } = config;
  onShutdown({
    drainSeconds,
    announce({ signal, err, second }) {
      if (err) log.fatal({ err }, 'the server ends');
      else if (second) log.warn(`${signal} again: the server ends at once`);
      else
        log.info(
          `${signal ?? 'Nothing left to do'}: the server ends, and what runs within ${drainSeconds} s`,
        );
    },
    drain: async () => service?.drain(),
    close: () => closing.disposeAsync(),
  });
  await checkPort(config);
  enableCompileCache(COMPILED);
  // Loaded only now: it takes longer than a person should wait for a taken port.
  const { start } = await import('./start.ts');
  await start({
    config,
    log,
    closing,
    onService: made => {
      service = made;
    },
  });
} catch (error) {
  // A signal that came during the start has closed what it needs, and the shutdown ends the process.
  if (!closing.disposed) {
    console.error(sentence(error));
    await closing.disposeAsync();
    process.exit(1);
  }
}

/** What is to be printed instead of starting; null for nothing. @throws {ConfigError} for any other argument */
function questionOf(args: readonly string[]): 'help' | 'settings' | null {
  const other = args.find(arg => !['--settings', ...HELP_OPTIONS].includes(arg));
  if (other !== undefined)
    throw new ConfigError(
      `${other} is no option. Settings are environment variables, such as PORT=8080 npm start; npm start -- --settings lists them.`,
    );
  if (args.some(arg => HELP_OPTIONS.includes(arg))) return 'help';
  return args.length > 0 ? 'settings' : null;
}

function sentence(error: unknown): string {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  if (['ConfigError', 'DataDirLocked', 'DataDirShared', 'DataDirDenied'].includes(name)) return message;
  const {
    code,
    address = process.env.HOST,
    port,
  } = error as { code?: string; address?: string; port?: number };
  if (code === 'EADDRINUSE')
    return (
      `Port ${port} of ${address} is in use: stop what listens there, or take another, such as PORT=${port === 8080 ? 8081 : 8080} npm start. ` +
      'A second server needs a CODEBEAKER_DATA_DIR of its own as well.'
    );
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `HOST=${process.env.HOST} is no address of this machine: set it to one, or leave it at 127.0.0.1.`;
  if (code === 'EACCES' && port !== undefined)
    return `Port ${port} is not for this user to listen on: set PORT to one above 1023.`;
  // A system error's message is enough, e.g. a directory that can't be written.
  return `The server could not start: ${code ? message : (stack ?? message)}`;
}
