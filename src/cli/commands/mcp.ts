import { type Command, SERVER_OPTIONS } from '../command.ts';
import { flushed } from '../print.ts';
import { relayMcp } from '../relay-mcp.ts';
import { serverOf } from '../server-of.ts';

export const mcp: Command = {
  usage: ['mcp [options]'],
  about: 'Speaks the Model Context Protocol on standard input and output, for clients that start programs.',
  options: SERVER_OPTIONS,
  async run(args) {
    args.withoutRest();
    args.only();
    const { stdin, stdout, stderr } = process;
    await relayMcp({ ...serverOf(args), input: stdin, output: stdout, complaints: stderr });
    await flushed(stdout);
    return 0;
  },
};
