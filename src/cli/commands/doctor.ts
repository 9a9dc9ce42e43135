import { type Command, JSON_OPTION } from '../command.ts';
import type { Finding } from '../doctor/finding.ts';
import { kernel } from '../doctor/kernel.ts';
import { programs } from '../doctor/programs.ts';
import { docker, registries, settings } from '../doctor/surroundings.ts';
import { printJson, write } from '../print.ts';
import { printable } from '../printable.ts';

export const doctor: Command = {
  usage: ['doctor [--network] [--json]'],
  about: `Looks at what a server needs of this machine, changes nothing, and says what is missing and the cure. Exit code 1 where something is
missing without which no program runs in a local sandbox. What a server that runs has come to, GET /health says.`,
  options: {
    network: { type: 'boolean', help: 'ask the registries of packages, too' },
    ...JSON_OPTION,
  },
  async run(args) {
    args.withoutRest();
    args.only();
    const findings = [
      ...programs(),
      ...kernel(),
      ...settings(),
      ...(await docker()),
      ...(args.flag('network') ? await registries() : []),
    ];
    const ok = findings.every(finding => finding.ok || !finding.needed);
    if (args.flag('json')) await printJson({ ok, findings });
    else await write(process.stdout, findings.map(lineOf).join(''));
    return ok ? 0 : 1;
  },
};

function lineOf({ name, ok, needed, detail, cure }: Finding): string {
  const word = ok ? 'ok' : needed ? 'MISSING' : 'missing';
  const line = `${word.padEnd(7)}  ${name}: ${printable(detail)}\n`;
  return cure === null ? line : `${line}         cure: ${cure}\n`;
}
