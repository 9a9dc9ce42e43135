import type { Options } from './arguments.ts';
import type { Command } from './command.ts';
import { COMMANDS } from './commands.ts';

const EXITS = `A program's exit code is passed on; 128 and its number for a signal that ended it, 124 for its time limit, 137 for another limit.
What is no program's: 64 called wrongly or refused, 65 not all could be taken, 69 no server or it can't, 70 it failed on the way,
77 a key is missing, 130 Ctrl-C.`;

export function generalHelp(): string {
  const width = Math.max(...Object.keys(COMMANDS).map(name => name.length));
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `codebeaker COMMAND [options]     codebeaker COMMAND --help says more

${lines.join('\n')}

  CODEBEAKER_URL      the server, which must run; default: http://127.0.0.1:5039
  CODEBEAKER_API_KEY  a key of it, if it asks for one

${EXITS}`;
}

export function helpOf({ usage, about, options }: Command): string {
  return `${usage.map(line => `codebeaker ${line}`).join('\n')}

${about}

${optionLines(options)}

${EXITS}`;
}

function optionLines(options: Options): string {
  const rows = Object.entries(options).map(([name, { short, value, help }]) => {
    const left = `${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`;
    return [left, help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`).join('\n');
}
