import { parseArgs } from 'node:util';
import { nearest } from '../nearest.ts';

export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for its value in the help. */
  readonly value?: string;
  readonly help: string;
}
export type Options = Readonly<Record<string, Option>>;

/** A call that can't be understood; the message is a sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What follows the name of a command. */
export class Arguments {
  /** What stands before `--`. */
  readonly operands: readonly string[];
  /** What stands behind it, as it is; undefined without it. */
  readonly rest: readonly string[] | undefined;
  readonly #values: ReadonlyMap<string, readonly (string | true)[]>;

  /** @throws {UsageError} */
  constructor(args: readonly string[], options: Options) {
    const end = args.indexOf('--');
    this.rest = end < 0 ? undefined : args.slice(end + 1);
    const { values, operands } = parse(end < 0 ? args : args.slice(0, end), options);
    this.#values = values;
    this.operands = operands;
  }

  flag(name: string): boolean {
    return this.#values.has(name);
  }

  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1) as string | undefined;
  }

  list(name: string): readonly string[] {
    return (this.#values.get(name) ?? []) as string[];
  }

  /** @throws {UsageError} */
  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!/^\d+(\.\d+)?$/.test(text))
      throw new UsageError(`--${name} can't be ${JSON.stringify(text)}: must be a number.`);
    return Number(text);
  }

  /** As many operands as have names. @throws {UsageError} */
  only(...names: string[]): string[] {
    const missing = names[this.operands.length];
    if (missing !== undefined) throw new UsageError(`${missing} is missing.`);
    const more = this.operands[names.length];
    if (more !== undefined) throw new UsageError(`${JSON.stringify(more)} is one too many.`);
    return [...this.operands];
  }

  /** @throws {UsageError} where there is something behind `--` */
  withoutRest(): void {
    if (this.rest !== undefined) throw new UsageError('Nothing can stand behind -- here.');
  }
}

function parse(args: readonly string[], options: Options) {
  // Without `strict`, what is wrong can be told in words that help.
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(options).map(([name, { type, short }]) => [name, { type, ...(short && { short }) }]),
    ),
    strict: false,
    tokens: true,
  });
  const values = new Map<string, (string | true)[]>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (!option) throw new UsageError(unknown(token.rawName, Object.keys(options)));
    const before = values.get(token.name) ?? [];
    if (before.length > 0 && !option.multiple && option.type === 'string')
      throw new UsageError(`--${token.name} is given twice.`);
    values.set(token.name, [...before, valueIn(token, option)]);
  }
  return { values, operands };
}

function valueIn(
  {
    rawName,
    value,
    inlineValue,
  }: { rawName: string; value: string | undefined; inlineValue: boolean | undefined },
  option: Option,
): string | true {
  if (option.type === 'boolean') {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value.`);
    return true;
  }
  const isNext = !inlineValue && value !== undefined && value !== '-' && value.startsWith('-');
  if (value === undefined || isNext)
    throw new UsageError(
      `${rawName} needs a value${isNext ? `; if it is ${value}, write ${rawName}=${value}` : ''}.`,
    );
  return value;
}

function unknown(rawName: string, names: readonly string[]): string {
  const meant = rawName.startsWith('--') ? nearest(rawName.slice(2), names) : null;
  const hint = meant === null ? 'what belongs to a program stands behind --' : `did you mean --${meant}?`;
  return `${rawName} is no option here; ${hint}${meant === null ? '.' : ''}`;
}
