/**
 * Environment of every program, to which its sandbox and its client add; nothing of the server's environment
 * is passed on.
 */
export const BASE_ENV = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  HOME: '/home/sandbox',
} as const;
