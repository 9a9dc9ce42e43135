import type { Call } from '../call.ts';
import type { Service } from '../service.ts';

/** The operation called, e.g. `sessions.execute`. */
export interface Operation {
  readonly name: `${'executions' | 'sessions' | 'ports' | 'processes' | 'transfers' | 'entries' | 'status' | 'watches' | 'debugging'}.${string}`;
  readonly call: Call;
}

/**
 * Wraps every call of the service, from every door. `next` runs the remaining interceptors and the service.
 * It must be called synchronously, because commands are ordered by when they reach the service.
 */
export type Interceptor = <T>(operation: Operation, next: () => Promise<T>) => Promise<T>;

/** A service whose calls pass through interceptors, the first one outermost. */
export function intercept(service: Service, interceptors: readonly Interceptor[]): Service {
  const around = <T>(name: Operation['name'], call: Call, act: () => Promise<T>): Promise<T> =>
    interceptors.reduceRight<() => Promise<T>>(
      (next, interceptor) => () => interceptor({ name, call }, next),
      act,
    )();
  const { executions, sessions, ports, processes, transfers, entries, status, watches, debugging } = service;
  return {
    status: {
      follow: (wish, call, after) => around('status.follow', call, () => status.follow(wish, call, after)),
    },
    ports: {
      expose: (wish, call, follower) =>
        around('ports.expose', call, () => ports.expose(wish, call, follower)),
      exposeAll: (wish, call) => around('ports.exposeAll', call, () => ports.exposeAll(wish, call)),
      unexpose: (id, port, call) => around('ports.unexpose', call, () => ports.unexpose(id, port, call)),
      list: (id, call, follower) => around('ports.list', call, () => ports.list(id, call, follower)),
      find: label => ports.find(label),
    },
    watches: {
      open: (wish, call, onEvent, until) =>
        around('watches.open', call, () => watches.open(wish, call, onEvent, until)),
      close: (watchId, call) => around('watches.close', call, () => watches.close(watchId, call)),
    },
    debugging: {
      start: (wish, call) => around('debugging.start', call, () => debugging.start(wish, call)),
      join: (debugId, call) => around('debugging.join', call, () => debugging.join(debugId, call)),
    },
    executions: {
      start: (request, call, options) =>
        around('executions.start', call, () => executions.start(request, call, options)),
      status: (id, call) => around('executions.status', call, () => executions.status(id, call)),
      recall: (id, call) => around('executions.recall', call, () => executions.recall(id, call)),
      wait: (id, call) => around('executions.wait', call, () => executions.wait(id, call)),
      cancel: (id, call) => around('executions.cancel', call, () => executions.cancel(id, call)),
      events: (id, call, afterSeq) =>
        around('executions.events', call, () => executions.events(id, call, afterSeq)),
    },
    sessions: {
      create: (config, call, options) =>
        around('sessions.create', call, () => sessions.create(config, call, options)),
      get: (id, call) => around('sessions.get', call, () => sessions.get(id, call)),
      list: (options, call) => around('sessions.list', call, () => sessions.list(options, call)),
      keepAlive: (id, call) => around('sessions.keepAlive', call, () => sessions.keepAlive(id, call)),
      usage: (id, call) => around('sessions.usage', call, () => sessions.usage(id, call)),
      update: (id, change, call) => around('sessions.update', call, () => sessions.update(id, change, call)),
      setEnd: (id, end, call) => around('sessions.setEnd', call, () => sessions.setEnd(id, end, call)),
      close: (id, call) => around('sessions.close', call, () => sessions.close(id, call)),
      closeContext: (id, context, call) =>
        around('sessions.closeContext', call, () => sessions.closeContext(id, context, call)),
      execute: (id, command, call, options) =>
        around('sessions.execute', call, () => sessions.execute(id, command, call, options)),
      runCommands: (where, batch, call, options) =>
        around('sessions.runCommands', call, () => sessions.runCommands(where, batch, call, options)),
      cancel: (id, commandId, call) =>
        around('sessions.cancel', call, () => sessions.cancel(id, commandId, call)),
      events: (id, call, afterSeq) =>
        around('sessions.events', call, () => sessions.events(id, call, afterSeq)),
      commandEvents: (id, executionId, call, afterSeq) =>
        around('sessions.commandEvents', call, () => sessions.commandEvents(id, executionId, call, afterSeq)),
    },
    processes: {
      list: (sessionId, call) => around('processes.list', call, () => processes.list(sessionId, call)),
      input: (target, data, eof, call) =>
        around('processes.input', call, () => processes.input(target, data, eof, call)),
      resize: (target, size, call) =>
        around('processes.resize', call, () => processes.resize(target, size, call)),
      signal: (target, signal, call) =>
        around('processes.signal', call, () => processes.signal(target, signal, call)),
    },
    transfers: {
      download: (id, path, call) =>
        around('transfers.download', call, () => transfers.download(id, path, call)),
      outputFile: (id, number, call) =>
        around('transfers.outputFile', call, () => transfers.outputFile(id, number, call)),
      upload: (id, path, options, call) =>
        around('transfers.upload', call, () => transfers.upload(id, path, options, call)),
      resume: (id, which, call) => around('transfers.resume', call, () => transfers.resume(id, which, call)),
      progress: (id, path, call) =>
        around('transfers.progress', call, () => transfers.progress(id, path, call)),
      remove: (id, path, options, call) =>
        around('transfers.remove', call, () => transfers.remove(id, path, options, call)),
      pack: (id, path, call) => around('transfers.pack', call, () => transfers.pack(id, path, call)),
      unpack: (id, path, options, call) =>
        around('transfers.unpack', call, () => transfers.unpack(id, path, options, call)),
    },
    entries: {
      describe: (id, path, call) => around('entries.describe', call, () => entries.describe(id, path, call)),
      list: (id, path, depth, call) =>
        around('entries.list', call, () => entries.list(id, path, depth, call)),
      makeDirectory: (id, path, call) =>
        around('entries.makeDirectory', call, () => entries.makeDirectory(id, path, call)),
      move: (id, from, to, call) => around('entries.move', call, () => entries.move(id, from, to, call)),
      remove: (id, path, call) => around('entries.remove', call, () => entries.remove(id, path, call)),
      setMetadata: (id, path, metadata, call) =>
        around('entries.setMetadata', call, () => entries.setMetadata(id, path, metadata, call)),
    },
    started: () => service.started(),
    languages: () => service.languages(),
    language: name => service.language(name),
    capabilities: () => service.capabilities(),
    health: () => service.health(),
    drain: () => service.drain(),
    close: () => service.close(),
  };
}
