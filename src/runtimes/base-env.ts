/**
 * Environment of every program, to which its sandbox and its client add; nothing of the server's environment
 * is passed on. Without a network npm and pip would try again for a minute.
 */
export const BASE_ENV = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  HOME: '/home/sandbox',
  npm_config_fetch_retries: '0',
  PIP_RETRIES: '0',
} as const;
