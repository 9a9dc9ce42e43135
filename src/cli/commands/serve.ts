import { fileURLToPath } from 'node:url';
import type { Command } from '../command.ts';
import { outliveReaders } from '../print.ts';

const SETTINGS: Readonly<Record<string, string>> = {
  host: 'HOST',
  port: 'PORT',
  'data-dir': 'CODEBEAKER_DATA_DIR',
};

export const serve: Command = {
  usage: ['serve [options]'],
  about: `Starts the server, as npm start does. It is set by environment variables, which --settings lists; these options are the same as some of
them.`,
  options: {
    host: { type: 'string', value: 'ADDRESS', help: 'to listen on, HOST; default: 127.0.0.1' },
    port: { type: 'string', value: 'N', help: 'PORT; default: 5039, 0 picks one' },
    'data-dir': { type: 'string', value: 'PATH', help: 'CODEBEAKER_DATA_DIR, for one server alone' },
    settings: { type: 'boolean', help: 'list every setting with its value here, and start nothing' },
  },
  async run(args) {
    args.withoutRest();
    args.only();
    for (const [option, setting] of Object.entries(SETTINGS)) {
      const value = args.text(option);
      if (value !== undefined) process.env[setting] = value;
    }
    // Those are for clients, as whoever types this may be, and the server refuses them.
    for (const name of ['CODEBEAKER_URL', 'CODEBEAKER_API_KEY']) delete process.env[name];
    const server = new URL('../../server.mjs', import.meta.url);
    process.argv = [
      process.execPath,
      fileURLToPath(server),
      ...(args.flag('settings') ? ['--settings'] : []),
    ];
    // It does not end with whoever reads its log.
    outliveReaders();
    await import(server.href);
    // It ends by itself, when it is asked to.
    return new Promise(() => {});
  },
};
