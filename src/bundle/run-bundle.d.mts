export function runBundle(
  url: string,
  where: { readonly directory: string; readonly resolve: (name: string) => string },
): Promise<void>;
