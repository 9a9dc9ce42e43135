import { Gauge, type Registry } from '@prometheus-io/client';
import type { LayerStore } from './layer-store.ts';

/** Shows what is kept on disk. */
export function countLayers(registry: Registry, store: Pick<LayerStore, 'held'>): void {
  const gauge = (name: string, help: string, read: (held: LayerStore['held']) => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read(store.held));
      },
    });
  gauge('codebeaker_layers', 'Layers of packages on disk', ({ layers }) => layers);
  gauge('codebeaker_layers_bytes', 'Bytes of the layers on disk', ({ bytes }) => bytes);
}
