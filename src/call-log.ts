/** The part of a logger that is used below the doors; pino's fits. */
export interface CallLog {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** One that adds details to every line. */
export function logAbout(log: CallLog, about: object): CallLog {
  return {
    debug: (details, message) => log.debug({ ...about, ...details }, message),
    info: (details, message) => log.info({ ...about, ...details }, message),
    warn: (details, message) => log.warn({ ...about, ...details }, message),
    error: (details, message) => log.error({ ...about, ...details }, message),
  };
}
