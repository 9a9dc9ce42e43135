#!/usr/bin/env node
import { once } from 'node:events';
import { stderr, stdin, stdout } from 'node:process';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type DapOptions, listenForEditors, relayDap } from './relay-dap.ts';
import { relayMcp } from './relay-mcp.ts';

/** The command line. It speaks to a server that runs, as any client does, and imports nothing of it. */

const USAGE = `codebeaker mcp   speaks the Model Context Protocol on standard input and output, for clients that start programs
codebeaker dap --session ID [--port N] [--language NAME]
                 speaks the Debug Adapter Protocol for a session, on standard input and output, or for editors that
                 connect to a port of 127.0.0.1 (0 picks one and prints it), as whoever uses this machine may

  CODEBEAKER_URL      the server, which must run; default: http://127.0.0.1:5039
  CODEBEAKER_API_KEY  a key of it, if it asks for one`;
const HELP_OPTIONS = ['help', '--help', '-h'];
const DAP_OPTIONS = {
  session: { type: 'string' },
  port: { type: 'string' },
  language: { type: 'string' },
} satisfies ParseArgsConfig['options'];
const MAX_PORT = 65_535;

const args = process.argv.slice(2);
const [command, ...rest] = args;
const unknown = command === 'mcp' ? rest[0] : command === 'dap' ? undefined : command;
if (args.some(arg => HELP_OPTIONS.includes(arg))) console.log(USAGE);
else if (unknown !== undefined) refuse(`codebeaker does not know ${JSON.stringify(unknown)}.\n\n${USAGE}`);
else if (command === undefined) refuse(USAGE);
else await (command === 'mcp' ? mcp() : dap());
process.exit();

async function mcp(): Promise<void> {
  const server = serverOf();
  if (server) await relayMcp({ ...server, input: stdin, output: stdout, complaints: stderr });
}

async function dap(): Promise<void> {
  let options: { session?: string; port?: string; language?: string };
  try {
    options = parseArgs({ args: rest, options: DAP_OPTIONS }).values;
  } catch (error) {
    return refuse(`${(error as Error).message}\n\n${USAGE}`);
  }
  const { session: sessionId, port, language } = options;
  if (!sessionId) return refuse(`--session is missing: the id of a session.\n\n${USAGE}`);
  if (port !== undefined && !(/^\d+$/.test(port) && Number(port) <= MAX_PORT))
    return refuse(`--port can't be ${JSON.stringify(port)}: must be a number up to ${MAX_PORT}.`);
  const server = serverOf();
  if (!server) return;
  const all: DapOptions = { ...server, sessionId, language, complaints: stderr };
  try {
    if (port === undefined) return await relayDap(stdin, stdout, all);
    stderr.write(`Editors may connect to port ${await listenForEditors(Number(port), all)} of 127.0.0.1\n`);
    await once(process, 'SIGINT');
  } catch (error) {
    process.exitCode = 1;
    console.error((error as Error).message);
  }
}

/** Undefined where the address can't be one. */
function serverOf(): { url: string; key: string | undefined } | undefined {
  // Nobody reads any more, and nobody asks.
  stdout.on('error', () => process.exit(0));
  const { CODEBEAKER_URL: url = '', CODEBEAKER_API_KEY: key } = process.env;
  const server = URL.parse(url || 'http://127.0.0.1:5039');
  if (server !== null && /^https?:$/.test(server.protocol))
    return { url: server.href, key: key || undefined };
  refuse(`CODEBEAKER_URL can't be ${JSON.stringify(url)}: must be a URL such as http://127.0.0.1:5039.`);
  return undefined;
}

function refuse(sentence: string): void {
  console.error(sentence);
  process.exitCode = 2;
}
