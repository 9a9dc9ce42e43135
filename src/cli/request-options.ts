import type { ExecuteRequest, SessionConfig } from '../client/wire.ts';
import { type Arguments, type Options, UsageError } from './arguments.ts';

/** What a program or a session may be given. */
export const REQUEST_OPTIONS = {
  language: { type: 'string', short: 'l', value: 'NAME', help: 'its language, such as python' },
  runtime: { type: 'string', value: 'NAME', help: 'what runs it, such as Bun or Docker' },
  image: { type: 'string', value: 'IMAGE', help: 'the container image it runs in' },
  memory: { type: 'string', short: 'm', value: 'MB', help: 'its memory limit' },
  env: {
    type: 'string',
    short: 'e',
    value: 'NAME=VALUE',
    multiple: true,
    help: 'a variable of its environment; NAME alone takes the value from here',
  },
  packages: {
    type: 'string',
    short: 'p',
    value: 'LIST',
    multiple: true,
    help: 'packages to install before, such as numpy,pandas==2.*',
  },
  network: { type: 'boolean', help: 'it may connect wherever the operator allows' },
  'network-allow': {
    type: 'string',
    value: 'RULE',
    multiple: true,
    help: 'it may connect there, such as api.example.com:443',
  },
} as const satisfies Options;

/** @throws {UsageError} */
export function environmentOf(args: Arguments): Record<string, string> {
  return Object.fromEntries(
    args.list('env').map(text => {
      const at = text.indexOf('=');
      const name = at < 0 ? text : text.slice(0, at);
      const value = at < 0 ? process.env[name] : text.slice(at + 1);
      if (name === '') throw new UsageError(`--env can't be ${JSON.stringify(text)}: must be NAME=VALUE.`);
      if (value === undefined) throw new UsageError(`--env ${name}: there is no such variable here.`);
      return [name, value];
    }),
  );
}

/** Commas separate packages, save those in brackets or behind a comparison: `requests[socks,use]>=2,<3` is one. */
export function packagesOf(args: Arguments): string[] {
  return args
    .list('packages')
    .flatMap(text => text.split(/,(?![^[]*\])(?=\s*[@\p{L}\p{N}])/u))
    .map(each => each.trim())
    .filter(Boolean);
}

export function networkOf(args: Arguments) {
  const allow = [...args.list('network-allow')];
  return {
    isWanted: args.flag('network') || allow.length > 0,
    rules: allow.length > 0 ? { allow } : undefined,
  };
}

/** What a one-shot and a session call the same. */
export function placementOf(
  args: Arguments,
): Pick<ExecuteRequest & SessionConfig, 'runtimeType' | 'dockerImage'> {
  const [runtimeType, dockerImage] = [args.text('runtime'), args.text('image')];
  return {
    ...(runtimeType !== undefined && { runtimeType }),
    ...(dockerImage !== undefined && { dockerImage }),
  };
}

/** What a session is to have. @throws {UsageError} */
export function sessionConfigOf(args: Arguments): SessionConfig {
  const language = args.text('language');
  if (language === undefined) throw new UsageError('--language is missing, such as --language python.');
  const [memory, idle, lifetime] = [args.number('memory'), args.number('idle'), args.number('lifetime')];
  const { isWanted, rules } = networkOf(args);
  const [environment, packages] = [environmentOf(args), packagesOf(args)];
  return {
    language,
    ...placementOf(args),
    ...(memory !== undefined && { memoryLimitMB: memory }),
    ...(idle !== undefined && { idleTimeoutMinutes: idle }),
    ...(lifetime !== undefined && { maxLifetimeMinutes: lifetime }),
    ...(Object.keys(environment).length > 0 && { environment }),
    ...(packages.length > 0 && { packages }),
    ...(isWanted && { networkEnabled: true }),
    ...(rules && { network: rules }),
  };
}
