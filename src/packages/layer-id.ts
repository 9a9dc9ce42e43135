import { createHash } from 'node:crypto';

const digest = (what: unknown) => createHash('sha256').update(JSON.stringify(what)).digest('hex');

/**
 * The id of a layer, by what the service knows that it was made for, as `request`, and what the process of its install says that it holds. That
 * process reads what strangers write, and may say anything: it can't name the layer of another request.
 */
export const idFor = (request: string, told: string) => digest(['made', request, told]);

/** The id of a layer that was put together of others. */
export const idOfJoined = (ids: readonly string[]) => digest(['joined', ...ids.toSorted()]);

/** Whose build it is, in few characters. */
export const builderOf = (build: object) => digest(build);
