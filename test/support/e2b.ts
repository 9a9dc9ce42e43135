/** Options of E2B's client that point it at a server of ours. */
export const e2bAt = (url: string, apiKey = 'any') => ({
  apiUrl: `${url}/e2b`,
  sandboxUrl: `${url}/e2b`,
  apiKey,
  validateApiKey: false,
});

/** What a promise rejects with. */
export const failure = <T>(promise: Promise<T>): Promise<Error> =>
  promise.then(
    () => new Error('it succeeded'),
    error => error,
  );
