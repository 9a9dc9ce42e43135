/** A bundle of ours as it lies in a sandbox (src/runtimes/kernel-bundles.ts). */
declare module '*.json' {
  const text: string;
  export default text;
}
