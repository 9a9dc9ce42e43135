import { KERNELS } from '../toolchains/toolchain.ts';

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

const CERTIFICATES = `${KERNELS}/certificates.pem`;

/** Of programs with a network: whom they trust (library.ts), by the names that OpenSSL, Node.js and Bun, requests and Deno look for it. */
export const NETWORK_ENV = {
  SSL_CERT_FILE: CERTIFICATES,
  NODE_EXTRA_CA_CERTS: CERTIFICATES,
  REQUESTS_CA_BUNDLE: CERTIFICATES,
  DENO_TLS_CA_STORE: 'system',
  // It would ask for a newer version of itself.
  DENO_NO_UPDATE_CHECK: '1',
} as const;
