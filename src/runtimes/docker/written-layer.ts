import { Type } from '@sinclair/typebox';
import type { Engine } from './engine.ts';

const LOOK_MS = 500;
const Sized = Type.Object({ SizeRw: Type.Optional(Type.Number()) });

/**
 * Watches a container's writable root, which is on the engine's disk and has no limit: checks its size twice
 * a second and calls `onExcess` once when it is over `maxBytes`. Ends when disposed.
 */
export function watchWrittenLayer(
  engine: Engine,
  containerId: string,
  maxBytes: number,
  onExcess: () => void,
): Disposable {
  const look = async () => {
    const { SizeRw = 0 } = await engine.ask(Sized, docker =>
      docker.getContainer(containerId).inspect({ size: true } as object),
    );
    if (SizeRw <= maxBytes) return;
    clearInterval(timer);
    onExcess();
  };
  const timer = setInterval(() => void look().catch(() => {}), LOOK_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
