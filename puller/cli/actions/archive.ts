// SPDX-License-Identifier: Apache-2.0
import { createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Loaded, loadArchive, saveArchive } from '../../../image-format/archive/index.ts';
import { archivedNames, importImage } from '../../../image-format/import/index.ts';
import { type ContentStore, IngestFolder, syncFolder } from '../../../image-format/layout/index.ts';
import type { Session } from '../context.ts';
import { CliError } from '../errors.ts';
import { formatBytes } from '../output/bytes.ts';
import { canonicalName, pinnedName, resolveLocal } from '../references.ts';

export async function save(session: Session, images: string[], flags: { output?: string }): Promise<undefined> {
  const store = await session.openStore();
  const found = await Promise.all(images.map((image) => resolveLocal(store, image)));
  const { output } = flags;
  if (output === undefined && process.stdout.isTTY) {
    throw new CliError('USAGE', 'an archive is not written to a terminal', { hint: 'name a file: -o FILE' });
  }
  const { chunks, blobs, size } = await saveArchive(
    store,
    found.map(({ name }) => name),
  );
  if (output === undefined) {
    await pipeline(Readable.from(chunks), process.stdout, { signal: session.signal, end: false });
    return;
  }
  await writeWhole(output, chunks, session.signal);
  const names = found.map(({ name }) => name);
  session.output.result({ file: output, images: names, blobs, size }, () =>
    session.output.quiet
      ? output
      : `${output}: ${names.length === 1 ? 'one image' : `${names.length} images`}, ${blobs} blobs, ${formatBytes(size)}`,
  );
}

/** A file that is whole, or the one that was there before. */
async function writeWhole(path: string, chunks: AsyncIterable<Buffer>, signal: AbortSignal): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`);
  try {
    await pipeline(Readable.from(chunks), createWriteStream(temporary), { signal });
    const file = await open(temporary, 'r');
    await file.sync().finally(async () => await file.close());
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

export async function load(session: Session, flags: { input?: string; tag?: string }): Promise<undefined> {
  const store = await session.openStore();
  const given = flags.tag === undefined ? undefined : canonicalName(flags.tag);
  const loaded =
    flags.input === undefined ? await fromStandardInput(session, store) : await fromPath(session, store, flags.input);
  const [only, ...others] = loaded;
  if (given !== undefined) {
    if (only === undefined || others.length > 0) {
      throw new CliError('USAGE', `it holds ${loaded.length} images, and --tag names one`);
    }
    await store.tag(given, only.descriptor);
    only.name = given;
  }
  const nameless = loaded.filter(({ name }) => name === undefined);
  if (nameless.length > 0) {
    const digests = nameless.map(({ descriptor }) => descriptor.digest).join(', ');
    session.output.problem(`uk: warning: no name is known for ${digests}; --tag gives one`);
  }
  session.output.result(
    loaded.map(({ name, descriptor }) => ({ name, digest: descriptor.digest })),
    () => loaded.flatMap(({ name, descriptor }) => (name ? pinnedName(name, descriptor.digest) : [])).join('\n'),
  );
}

async function fromPath(session: Session, store: ContentStore, path: string): Promise<Loaded[]> {
  const { signal } = session;
  if ((await stat(path).catch(() => undefined))?.isDirectory()) {
    return [{ descriptor: await importImage(store, { kind: 'oci', folder: path }, { signal }) }];
  }
  const loaded = await loadArchive(store, path, { signal });
  if (loaded !== undefined) return loaded;
  const images: Loaded[] = [];
  for (const [position, names] of (await archivedNames(path)).entries()) {
    const descriptor = await importImage(store, { kind: 'docker-archive', file: path, position }, { signal });
    for (const name of names) await store.tag(name, descriptor);
    images.push(...(names.length === 0 ? [{ descriptor }] : names.map((name) => ({ name, descriptor }))));
  }
  return images;
}

/** What the archive is shows only in the middle of it, so it is kept while it is read. */
async function fromStandardInput(session: Session, store: ContentStore): Promise<Loaded[]> {
  if (process.stdin.isTTY) {
    throw new CliError('USAGE', 'no archive: standard input is a terminal', { hint: 'name it: -i FILE' });
  }
  const file = (await IngestFolder.open(join(store.root, 'ingest'))).newPath();
  try {
    await pipeline(process.stdin, createWriteStream(file), { signal: session.signal });
    return await fromPath(session, store, file);
  } finally {
    await rm(file, { force: true });
  }
}
