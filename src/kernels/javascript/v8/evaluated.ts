/** What the text of a bundle evaluates to. */
export type Wrapped = (require: unknown, exports: object, module: object) => void;

const { getBuiltinModule } = process;

/** What a bundle exports. */
export function evaluated<T>(wrapped: Wrapped): T {
  const module = { exports: {} };
  wrapped(getBuiltinModule, module.exports, module);
  return module.exports as T;
}
