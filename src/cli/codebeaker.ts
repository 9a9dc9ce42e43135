#!/usr/bin/env node
import { stdin, stdout } from 'node:process';
import { relayMcp } from './relay-mcp.ts';

/** The command line. It speaks to a server that runs, as any client does, and imports nothing of it. */

const USAGE = `codebeaker mcp   speaks the Model Context Protocol on standard input and output, for clients that start programs

  CODEBEAKER_URL      the server, which must run; default: http://127.0.0.1:5039
  CODEBEAKER_API_KEY  a key of it, if it asks for one`;

const [command, ...rest] = process.argv.slice(2);
if (command === 'mcp' && rest.length === 0) {
  // Nobody reads any more, and nobody asks.
  stdout.on('error', () => process.exit(0));
  const { CODEBEAKER_URL: url, CODEBEAKER_API_KEY: key } = process.env;
  await relayMcp({
    url: url || 'http://127.0.0.1:5039',
    key: key || undefined,
    input: stdin,
    output: stdout,
  });
  process.exit(0);
}
const asked = command === 'help' || command === '--help';
(asked ? console.log : console.error)(USAGE);
process.exit(asked ? 0 : 2);
