import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import type { Figure } from './measure.ts';

const GIB = 2 ** 30;

/** The machine and the interpreters, as they say it themselves. */
export function machine(
  languages: { name: string; runtimes: { runtimeType: string; version: string | null }[] }[],
) {
  const versions = languages.flatMap(({ name, runtimes }) =>
    runtimes
      .filter(({ version }) => version)
      .map(({ runtimeType, version }) => `${name} on ${runtimeType} ${version}`),
  );
  return {
    date: new Date().toISOString(),
    cpu: `${cpus()[0]?.model.trim()}, ${cpus().length} cores`,
    memory: `${Math.round(totalmem() / GIB)} GiB`,
    kernel: execFileSync('uname', ['-sr'], { encoding: 'utf8' }).trim(),
    node: process.version,
    versions,
  };
}

export function table(figures: readonly Figure[]): string {
  const rows = figures.map(({ group, name, unit, median, p99, samples, ratio }) => [
    group,
    name,
    `${median} ${unit}`,
    samples > 1 ? `${p99} ${unit}` : '',
    ratio ? `${ratio.times} times ${ratio.to.replace(/^\w+: /, '')}` : '',
  ]);
  const all = [['', 'what', 'median', 'p99', 'as fast as'], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map(row => row[column]!.length)));
  const line = (row: readonly string[]) => `| ${row.map((text, i) => text.padEnd(widths[i]!)).join(' | ')} |`;
  const rule = `| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`;
  return [line(all[0]!), rule, ...all.slice(1).map(line)].join('\n');
}
