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
  const modules: string[] = [];
  for (const { output: chunks } of built) {
    for (const chunk of chunks) {
      if (chunk.type !== 'chunk') continue;
      files.set(chunk.fileName, Buffer.from(chunk.code));
      modules.push(...chunk.moduleIds);
    }
  }
  files.set('licences.txt', Buffer.from(await licencesOf(modules)));
  return files;
}

/** The licences of the packages in the scripts: they ask to be handed on with them. */
async function licencesOf(modules: readonly string[]): Promise<string> {
  const packages = new Set<string>();
  for (const module of modules) {
    const found = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(module)?.[0];
    if (found !== undefined) packages.add(found);
  }
  const texts = [...packages].sort().map(async (folder) => {
    const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name));
    const text = file === undefined ? 'see its package' : await readFile(join(folder, file), 'utf8');
    return `${folder.replace(/^.*\/node_modules\//, '')}\n\n${text.trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`);
}
