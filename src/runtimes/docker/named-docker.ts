import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import Docker from 'dockerode';

const SOCKETS = [
  '/var/run/docker.sock',
  // Rootless engines and Docker Desktop.
  ...(process.env.XDG_RUNTIME_DIR ? [`${process.env.XDG_RUNTIME_DIR}/docker.sock`] : []),
  `${homedir()}/.docker/run/docker.sock`,
];

/** The part of docker-modem used here. */
export interface Modem {
  readonly protocol?: 'http' | 'https' | 'ssh';
}

/** Escapes names, which dockerode puts into URLs unescaped. */
export class NamedDocker extends Docker {
  override getContainer(id: string): Docker.Container {
    return super.getContainer(encodeURIComponent(id));
  }

  override getImage(name: string): Docker.Image {
    return super.getImage(encodeURIComponent(name));
  }

  override getVolume(name: string): Docker.Volume {
    return super.getVolume(encodeURIComponent(name));
  }
}

/** A docker-modem for the configured address; opens nothing yet. */
export function openModem(): Modem {
  const socketPath = process.env.DOCKER_HOST ? undefined : (SOCKETS.find(existsSync) ?? SOCKETS[0]);
  return new Docker(socketPath === undefined ? undefined : { socketPath }).modem as Modem;
}
