#!/usr/bin/env node
import { nearest } from '../nearest.ts';
import { Arguments, UsageError } from './arguments.ts';
import { COMMANDS } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { exitCodeOfFailure } from './failure.ts';
import { generalHelp, helpOf } from './help.ts';
import { endWithReaders, flushed } from './print.ts';

/** The command line. It speaks to a server that runs, as any client does; only `serve` starts one, and `doctor` looks at what one needs. */

const HELP_OPTIONS = ['--help', '-h'];

endWithReaders();
const code = await main(process.argv.slice(2));
await flushed(process.stderr);
process.exit(code);

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    console.error(generalHelp());
    return EXIT.usage;
  }
  if (['help', ...HELP_OPTIONS].includes(name)) {
    const command = rest[0] === undefined ? undefined : COMMANDS[rest[0]];
    console.log(command ? helpOf(await command.load()) : generalHelp());
    return 0;
  }
  try {
    return await runCommand(name, rest);
  } catch (error) {
    return exitCodeOfFailure(error, { name, args: rest });
  }
}

async function runCommand(name: string, args: readonly string[]): Promise<number> {
  if (!Object.hasOwn(COMMANDS, name)) {
    const meant = nearest(name, Object.keys(COMMANDS));
    throw new UsageError(
      `codebeaker does not know ${JSON.stringify(name)}${meant === null ? '.' : `; did you mean ${meant}?`}`,
    );
  }
  const command = await COMMANDS[name]!.load();
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  if (own.some(arg => HELP_OPTIONS.includes(arg))) {
    console.log(helpOf(command));
    return 0;
  }
  return command.run(new Arguments(args, command.options));
}
