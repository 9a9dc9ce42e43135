import type { ExecuteRequest } from '../../client/wire.ts';
import { type Arguments, UsageError } from '../arguments.ts';
import { type Command, JSON_OPTION, SERVER_OPTIONS } from '../command.ts';
import { finish } from '../finish.ts';
import { feed, openInput, textIn } from '../input.ts';
import { Interruption } from '../interruption.ts';
import { languageOf } from '../language-of.ts';
import { environmentOf, networkOf, packagesOf, placementOf, REQUEST_OPTIONS } from '../request-options.ts';
import { clientOf } from '../server-of.ts';

export const run: Command = {
  usage: ['run FILE [options] [-- ARGUMENTS]'],
  about: `Runs a program once, in a sandbox of its own. FILE is its source, - reads it from standard input; its language is told by the
name (.py .js .mjs .cjs .ts .mts .cts .go .cs .csx) or --language.

What the program prints comes as it is printed, to standard output and standard error. Standard input is the program's; nothing is read
for it with --stdin /dev/null. With --json the result is printed in the end instead. Ctrl-C cancels the program, a second one leaves.`,
  options: {
    ...REQUEST_OPTIONS,
    timeout: { type: 'string', short: 't', value: 'SECONDS', help: 'its wall time; default: 30' },
    stdin: { type: 'string', value: 'FILE', help: 'what it reads, instead of standard input' },
    ...JSON_OPTION,
    ...SERVER_OPTIONS,
  },
  async run(args) {
    const [file] = args.only('FILE');
    using interruption = new Interruption();
    using client = clientOf(args);
    const stdin = args.text('stdin');
    const given = stdin === undefined ? undefined : await openInput(stdin);
    const request = await requestOf(args, file!);
    const started = await client.start(request, { interactive: true, signal: interruption.signal });
    void feed(given ?? (file === '-' ? nothing() : process.stdin), started);
    return await finish(started, { json: args.flag('json'), interruption });
  },
};

async function* nothing() {}

async function requestOf(args: Arguments, file: string): Promise<ExecuteRequest> {
  const language = args.text('language') ?? languageOf(file);
  if (language === undefined)
    throw new UsageError(
      `${file === '-' ? 'Standard input tells no language' : `${file} tells no language by its name`}: add --language, such as --language python.`,
    );
  const [timeout, memoryLimit] = [args.number('timeout'), args.number('memory')];
  const { isWanted, rules } = networkOf(args);
  const [environment, packages] = [environmentOf(args), packagesOf(args)];
  return {
    code: await textIn(file),
    language,
    args: [...(args.rest ?? [])],
    ...placementOf(args),
    config: {
      ...(timeout !== undefined && { timeout }),
      ...(memoryLimit !== undefined && { memoryLimit }),
      ...(Object.keys(environment).length > 0 && { environment }),
      ...(packages.length > 0 && { packages }),
      ...(isWanted && { disableNetwork: false }),
      ...(rules && { network: rules }),
    },
  };
}
