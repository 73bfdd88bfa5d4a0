// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a package has what {@link bundleScripts} made. */
export const BUNDLED = 'bundled';

/** The scripts of the pages, by name: out of the package, else made now from their sources. */
export async function readBundle(folder: string): Promise<Map<string, Buffer>> {
  const bundled = join(folder, BUNDLED);
  const names = await readdir(bundled).catch(() => undefined);
  if (names === undefined) return bundleScripts(folder);
  const read = names.map(async (name): Promise<[string, Buffer]> => [name, await readFile(join(bundled, name))]);
  return new Map(await Promise.all(read));
}

/**
 * One file for every page, one that sets the colours before a page is drawn, and one for hashing, which is loaded when
 * somebody verifies something. Rolldown is there in a checkout only.
 */
export async function bundleScripts(folder: string): Promise<Map<string, Buffer>> {
  const { build } = await import('rolldown');
  const shared = {
    platform: 'browser',
    write: false,
    logLevel: 'silent',
    transform: { define: { global: 'globalThis' } },
  } as const;
  const output = { minify: true, entryFileNames: '[name].js', chunkFileNames: '[name].js' } as const;
  const built = [
    await build({
      ...shared,
      input: { main: join(folder, 'main.ts') },
      output: { ...output, format: 'es' },
    }),
    await build({ ...shared, input: { theme: join(folder, 'theme.ts') }, output: { ...output, format: 'iife' } }),
  ];
  const files = new Map<string, Buffer>();
  for (const { output: chunks } of built) {
    for (const chunk of chunks) if (chunk.type === 'chunk') files.set(chunk.fileName, Buffer.from(chunk.code));
  }
  return files;
}
