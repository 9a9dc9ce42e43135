#!/usr/bin/env node
import { stderr, stdin, stdout } from 'node:process';
import { relayMcp } from './relay-mcp.ts';

/** The command line. It speaks to a server that runs, as any client does, and imports nothing of it. */

const USAGE = `codebeaker mcp   speaks the Model Context Protocol on standard input and output, for clients that start programs

  CODEBEAKER_URL      the server, which must run; default: http://127.0.0.1:5039
  CODEBEAKER_API_KEY  a key of it, if it asks for one`;
const HELP_OPTIONS = ['help', '--help', '-h'];

const args = process.argv.slice(2);
const [command, ...rest] = args;
const unknown = command === 'mcp' ? rest[0] : command;
if (args.some(arg => HELP_OPTIONS.includes(arg))) console.log(USAGE);
else if (unknown !== undefined) refuse(`codebeaker does not know ${JSON.stringify(unknown)}.\n\n${USAGE}`);
else if (command === undefined) refuse(USAGE);
else await mcp();
process.exit();

async function mcp(): Promise<void> {
  // Nobody reads any more, and nobody asks.
  stdout.on('error', () => process.exit(0));
  const { CODEBEAKER_URL: url = '', CODEBEAKER_API_KEY: key } = process.env;
  const server = URL.parse(url || 'http://127.0.0.1:5039');
  if (server === null || !/^https?:$/.test(server.protocol))
    return refuse(
      `CODEBEAKER_URL can't be ${JSON.stringify(url)}: must be a URL such as http://127.0.0.1:5039.`,
    );
  await relayMcp({
    url: server.href,
    key: key || undefined,
    input: stdin,
    output: stdout,
    complaints: stderr,
  });
}

function refuse(sentence: string): void {
  console.error(sentence);
  process.exitCode = 2;
}
