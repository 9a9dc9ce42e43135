import { describe, expect, test } from 'vitest';
import { Config, ConfigError, describeSettings, printConfig, readConfig } from '../src/config.ts';

const failure = (environment: Record<string, string>) => {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return null;
};

describe('configuration', () => {
  test('has a default for everything', () => {
    const config = readConfig({ PATH: '/bin' });
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 5039,
      logLevel: 'info',
      maxSessions: 1000,
      maxQueue: 10_000,
      maxTimeoutSeconds: 300,
      maxMemoryMB: 2048,
      maxOutputBytes: 1_048_576,
      maxStreamBytes: 64 * 1_048_576,
      images: ['codebeaker-*'],
      apiKeys: [],
    });
    expect(config.dataDir).toMatch(/\/\.codebeaker$/);
    expect(config.rateLimit).toBeUndefined();
    expect(config.runtimes).toBeUndefined();
  });

  test('reads numbers, and lists separated by commas', () => {
    const config = readConfig({
      PORT: '0',
      CODEBEAKER_RATE_LIMIT: '0.5',
      CODEBEAKER_RUNTIMES: 'bun, PYTHON,',
      CODEBEAKER_MAX_OUTPUT_BYTES: '1000',
    });
    expect(config).toMatchObject({
      port: 0,
      rateLimit: 0.5,
      runtimes: ['Bun', 'Python'],
      maxStreamBytes: 64_000,
    });
  });

  test('takes an empty variable as one that is not set', () => {
    expect(readConfig({ PORT: '', CODEBEAKER_API_KEYS: '' })).toMatchObject({ port: 5039, apiKeys: [] });
  });

  test.each([
    [
      { CODEBEAKER_MAX_SESION: '3' },
      /^CODEBEAKER_MAX_SESION is not a setting; did you mean CODEBEAKER_MAX_SESSIONS\? /,
    ],
    [{ CODEBEAKER_PAKCAGES: 'off' }, /did you mean CODEBEAKER_PACKAGES\?/],
    [
      { CODEBEAKER_COLOUR: '3' },
      /^CODEBEAKER_COLOUR is not a setting; there are CODEBEAKER_DATA_DIR, .*CODEBEAKER_FORK/,
    ],
    [{ CODEBEAKER_API_KEY: 'k' }, /^CODEBEAKER_API_KEY is for clients.* CODEBEAKER_API_KEYS\./],
    [{ CODEBEAKER_URL: 'http://a' }, /^CODEBEAKER_URL is for clients.*HOST and PORT/],
    [{ PORT: '70000' }, /^PORT can't be "70000"/],
    [{ PORT: 'http' }, /^PORT can't be "http": expected integer/],
    [{ PORT: '-1' }, /^PORT/],
    [{ PORT: '0x10' }, /^PORT/],
    [{ CODEBEAKER_MAX_SESSIONS: '0' }, /^CODEBEAKER_MAX_SESSIONS/],
    [{ CODEBEAKER_MAX_SESSIONS: 'many' }, /^CODEBEAKER_MAX_SESSIONS/],
    [{ CODEBEAKER_MAX_TIMEOUT_SECONDS: '0' }, /^CODEBEAKER_MAX_TIMEOUT_SECONDS/],
    // Over what Node's timers hold, which would strike at once.
    [{ CODEBEAKER_MAX_TIMEOUT_SECONDS: '3000000' }, /^CODEBEAKER_MAX_TIMEOUT_SECONDS/],
    [{ CODEBEAKER_RUNTIMES: 'bun,perl' }, /^CODEBEAKER_RUNTIMES can't be "perl": must be one of/],
    [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL can't be "loud": must be one of/],
    [{ CODEBEAKER_ALLOWED_ORIGINS: 'https://a.example/x' }, /must be an origin such as/],
    [{ CODEBEAKER_ALLOWED_ORIGINS: '*' }, /must be an origin such as/],
  ])('refuses %j with a sentence', (environment, sentence) => {
    expect(failure(environment as Record<string, string>)).toMatch(sentence);
  });

  test.each(['0.0.0.0', '::', '192.168.1.5', 'example.com'])('refuses HOST %s without keys', host => {
    expect(failure({ HOST: host })).toMatch(/CODEBEAKER_API_KEYS/);
    expect(failure({ HOST: host, CODEBEAKER_API_KEYS: 'a-long-key' })).toBeNull();
  });

  test.each(['localhost', '::1', '127.0.0.2'])('takes HOST %s without keys', host => {
    expect(failure({ HOST: host })).toBeNull();
  });

  test('prints what somebody has set, and all of it with its meaning when asked', () => {
    const environment = {
      PORT: '8080',
      CODEBEAKER_RUNTIMES: 'bun,PYTHON',
      CODEBEAKER_IMAGES: '',
      PATH: '/bin',
    };
    expect(printConfig(readConfig(environment), environment)).toEqual([
      'PORT=8080',
      'CODEBEAKER_RUNTIMES=Bun,Python',
    ]);
    const lines = describeSettings(readConfig({})).split('\n');
    expect(lines).toHaveLength(Object.keys(Config.properties).length);
    for (const line of lines) expect(line).toMatch(/^[A-Z_]+=.* {2}# \w/);
  });

  test('hides secrets, also in a refusal', () => {
    const environment = { CODEBEAKER_API_KEYS: 'hunter2hunter2,other-key' };
    const config = readConfig(environment);
    for (const printed of [printConfig(config, environment).join('\n'), describeSettings(config)]) {
      expect(printed).toContain('CODEBEAKER_API_KEYS=(2 hidden)');
      expect(printed).not.toContain('hunter2');
    }
    expect(failure({ CODEBEAKER_API_KEYS: 'hunter2 hunter2' })).not.toContain('hunter2');
  });
});
