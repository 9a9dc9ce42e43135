import { createServer } from 'node:net';

/**
 * Listens on an address for a moment, before anything else is loaded or started: a port that is taken is told at once.
 * Port 0 is always free.
 * @throws the system's error, e.g. EADDRINUSE
 */
export async function checkPort({ host, port }: { host: string; port: number }): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host, port }, resolve);
  });
  await new Promise(resolve => server.close(resolve));
}
