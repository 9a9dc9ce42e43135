import { UsageError } from '../arguments.ts';
import { type Command, JSON_OPTION, SERVER_OPTIONS } from '../command.ts';
import { Progress, printJson, write } from '../print.ts';
import { printable } from '../printable.ts';
import { clientOf } from '../server-of.ts';

export const install: Command = {
  usage: ['install SESSION PACKAGE… [options]', 'install SESSION --requirements FILE [options]'],
  about: `Installs packages for all that starts in a session afterwards, such as 'numpy' or 'pandas==2.*'. FILE is one of the session's own: a
requirements.txt, a package.json or a go.mod.`,
  options: {
    manager: { type: 'string', value: 'NAME', help: 'such as pip or npm; default: the language’s' },
    build: { type: 'boolean', help: 'build source packages, and run install scripts' },
    requirements: { type: 'string', short: 'r', value: 'FILE', help: 'a list of them in /workspace' },
    timeout: { type: 'string', short: 't', value: 'SECONDS', help: 'how long it may take' },
    ...JSON_OPTION,
    ...SERVER_OPTIONS,
  },
  async run(args) {
    args.withoutRest();
    const [sessionId, ...packages] = args.operands;
    const [manager, requirementsFile] = [args.text('manager'), args.text('requirements')];
    const timeout = args.number('timeout');
    if (sessionId === undefined) throw new UsageError('SESSION is missing.');
    if ((packages.length === 0) === (requirementsFile === undefined))
      throw new UsageError('Give either packages, or --requirements.');
    using client = clientOf(args);
    const progress = new Progress();
    progress.show('installing');
    const result = await client
      .attach(sessionId)
      .execute({
        type: 'install_packages',
        ...(packages.length > 0 && { packages }),
        ...(requirementsFile !== undefined && { requirementsFile }),
        ...(args.flag('build') && { build: true }),
        ...(manager !== undefined && { manager: manager as 'npm' }),
        ...(timeout !== undefined && { timeout }),
      })
      .finally(() => progress.clear());
    const installed = result && 'installed' in result ? result.installed : [];
    if (args.flag('json')) await printJson(result);
    else
      for (const { name, version } of installed)
        await write(process.stdout, `${printable(`${name} ${version}`)}\n`);
    return 0;
  },
};
