/**
 * What every program finds in its environment, beside what its place needs and what its client adds; nothing of the
 * server's own. PYTHONUNBUFFERED so that what was printed survives a kill.
 */
export const BASE_ENV = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  HOME: '/home/sandbox',
  PYTHONUNBUFFERED: '1',
} as const;
