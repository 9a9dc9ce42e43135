import { CodeBeakerError } from '../client/codebeaker-error.ts';
import { Arguments, UsageError } from './arguments.ts';
import { COMMANDS } from './commands.ts';
import { EXIT, exitCodeOfError, exitCodeOfSignal } from './exit-codes.ts';
import { Interrupted } from './interruption.ts';
import { tell } from './print.ts';
import { DapRefused } from './relay-dap.ts';
import { type Server, serverOf } from './server-of.ts';
import { TarError } from './tar-reader.ts';

/** What was called. */
interface Call {
  readonly name: string;
  readonly args: readonly string[];
}

/** Says what went wrong, and what helps. Resolves to the exit code. */
export async function exitCodeOfFailure(error: unknown, call: Call): Promise<number> {
  if (error instanceof Interrupted) return exitCodeOfSignal(error.signal);
  if (error instanceof UsageError) {
    const known = Object.hasOwn(COMMANDS, call.name);
    tell(`${error.message}\nSee codebeaker ${known ? `${call.name} ` : ''}--help.`);
    return EXIT.usage;
  }
  if (error instanceof DapRefused) {
    tell(error.message);
    return EXIT.unavailable;
  }
  if (error instanceof TarError) {
    tell(error.message);
    return EXIT.data;
  }
  if (!(error instanceof CodeBeakerError)) {
    tell((error as Error).message);
    return EXIT.failed;
  }
  const cause = error.code === 'UNREACHABLE' ? await lookCloser(error, await serverOfCall(call)) : error;
  tell([cause.message, cause.details, cureOf(cause, call)].filter(Boolean).join('\n'));
  return exitCodeOfError(cause);
}

async function serverOfCall({ name, args }: Call): Promise<Server> {
  return serverOf(new Arguments(args, (await COMMANDS[name]!.load()).options));
}

/** A WebSocket does not say why it was refused, where HTTP does. */
async function lookCloser(error: CodeBeakerError, { url, key }: Server): Promise<CodeBeakerError> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  try {
    const response = await fetch(new URL('/api/language', url), { headers });
    const problem = (await response.json()) as { code?: string; message?: string };
    return response.ok || !problem.code ? error : new CodeBeakerError(problem.code, problem.message ?? '');
  } catch {
    return error;
  }
}

function cureOf({ code, reason, retryAfter }: CodeBeakerError, { name, args }: Call): string | undefined {
  if (code === 'UNREACHABLE')
    return 'Start a server with codebeaker serve or npm start, or say where it is by --url or CODEBEAKER_URL.';
  if (code === 'UNAUTHORIZED')
    return 'Set CODEBEAKER_API_KEY to one of the keys of that server, or give a file that holds one: --key-file FILE.';
  if (code === 'SESSION_NOT_FOUND')
    return `${reason ? `It has ended: ${reason}. ` : ''}codebeaker session list shows those that are there.`;
  if (reason === 'needs_build' && name === 'install' && !args.includes('--build'))
    return 'codebeaker install --build builds source packages and runs install scripts.';
  return retryAfter === undefined ? undefined : `Try again in ${retryAfter} s.`;
}
