import { randomBytes } from 'node:crypto';
import { CodeBeaker } from '../../client/client.ts';
import { CodeBeakerError } from '../../client/codebeaker-error.ts';
import { type Arguments, UsageError } from '../arguments.ts';
import { type Command, JSON_OPTION, SERVER_OPTIONS } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { printJson, tell, write } from '../print.ts';
import { serverOf } from '../server-of.ts';

/** 256 bits: nobody guesses one. */
const KEY_BYTES = 32;

export const keys: Command = {
  usage: ['keys generate', 'keys check [options]'],
  about: `generate prints a new key, and on standard error where it goes. A server asks for the keys in its setting CODEBEAKER_API_KEYS, a list with
commas; each has sessions and runs of its own. check says whether a server takes the key in CODEBEAKER_API_KEY or --key-file.`,
  options: { ...JSON_OPTION, ...SERVER_OPTIONS },
  async run(args) {
    args.withoutRest();
    const [action] = args.only('What to do with keys, generate or check,');
    if (action === 'generate') return await generate();
    if (action === 'check') return check(args);
    throw new UsageError(`keys can't ${JSON.stringify(action)}; there are generate and check.`);
  },
};

async function generate(): Promise<number> {
  await write(process.stdout, `cb_${randomBytes(KEY_BYTES).toString('base64url')}\n`);
  if (process.stdout.isTTY)
    tell(`for the server: add it to CODEBEAKER_API_KEYS, and start it again
for a client: set CODEBEAKER_API_KEY to it, or keep it in a file that only you can read, for --key-file`);
  return 0;
}

async function check(args: Arguments): Promise<number> {
  const { url, key } = serverOf(args);
  const asks = !(await takes(url, undefined));
  const taken = asks ? key !== undefined && (await takes(url, key)) : true;
  if (args.flag('json')) await printJson({ url, asksForKey: asks, hasKey: key !== undefined, taken });
  else await write(process.stdout, `${url} ${verdict({ asks, key, taken })}\n`);
  return taken ? 0 : EXIT.denied;
}

function verdict({ asks, key, taken }: { asks: boolean; key: string | undefined; taken: boolean }): string {
  if (!asks) return 'asks for no key';
  if (key === undefined) return 'asks for a key: set CODEBEAKER_API_KEY to one of its keys';
  return taken ? 'takes this key' : 'does not take this key';
}

async function takes(url: string, key: string | undefined): Promise<boolean> {
  using client = new CodeBeaker({ url, key });
  try {
    await client.languages();
    return true;
  } catch (error) {
    if (error instanceof CodeBeakerError && error.code === 'UNAUTHORIZED') return false;
    throw error;
  }
}
