// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import * as z from 'zod';
import { writeJson } from '../build/manifest/write-manifest.ts';
import { checkPlatform } from '../check-image.ts';
import { type Descriptor, optional } from '../descriptor.ts';
import { type Digest, digestOf } from '../digest.ts';
import { ImageError } from '../errors.ts';
import { parseImageConfig } from '../image-config.ts';
import { detectCompression, type LayerFile, peek, verifyDiffId } from '../layers/index.ts';
import { MANIFEST_LIMIT } from '../layout/reach.ts';
import type { ContentStore } from '../layout/store.ts';
import { layerMediaType, MEDIA_TYPE } from '../media-types.ts';
import { formatReference, parseReference } from '../reference.ts';
import { ArchiveMembers } from './archive-members.ts';
import type { ArchiveSource } from './source.ts';

const MANIFEST = 'manifest.json';

/** What `manifest.json` says of one image. */
const archivedSchema = z.looseObject({
  Config: z.string(),
  RepoTags: optional(z.array(z.string())),
  Layers: optional(z.array(z.string())),
});

type ArchivedImage = z.infer<typeof archivedSchema>;

/**
 * Takes an image from a file as `docker save` and `podman save` write it. The layers in it are mostly plain tar
 * archives, and their diff_ids are then their digests. The file has no manifest that a registry would take: one is made.
 *
 * @throws ImageError as `importImage`
 * @see https://github.com/moby/docker-image-spec, "Combined Image JSON + Filesystem Changeset Format"
 */
export async function importArchive(
  store: ContentStore,
  source: ArchiveSource,
  options: { signal?: AbortSignal },
): Promise<Descriptor> {
  const members = await ArchiveMembers.open(source.file);
  const image = choose(await readImages(members, source), source);
  const config = await members.read(image.Config, MANIFEST_LIMIT);
  checkName(image.Config, config);
  const descriptor = { mediaType: MEDIA_TYPE.config, digest: digestOf(config), size: config.length };
  const diffIds = parseImageConfig(config).rootfs.diff_ids;
  checkPlatform(descriptor, config);
  const layers = await takeLayers(store, members, image.Layers ?? [], diffIds, options);
  await store.write(descriptor, Readable.from([config]), options);
  return await writeJson(store, MEDIA_TYPE.manifest, {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: descriptor,
    layers,
  });
}

/** The full names of each image of a file, in its order. @throws ImageError as `importImage` */
export async function archivedNames(file: string): Promise<string[][]> {
  const images = await readImages(await ArchiveMembers.open(file), { kind: 'docker-archive', file });
  return images.map(({ RepoTags }) => (RepoTags ?? []).flatMap((tag) => canonical(tag) ?? []));
}

async function readImages(members: ArchiveMembers, { file }: ArchiveSource): Promise<ArchivedImage[]> {
  if (!members.has(MANIFEST)) {
    throw new ImageError('LAYOUT_INVALID', `not an archive of images: it has no ${MANIFEST}`, {
      hint: members.has('oci-layout')
        ? `it is an OCI archive: unpack it into a folder and write oci:DIR, as in tar -xf ${file} -C DIR`
        : 'docker save and podman save write one; uk build --rootfs takes a tar archive of files',
    });
  }
  let json: unknown;
  try {
    json = JSON.parse((await members.read(MANIFEST, MANIFEST_LIMIT)).toString('utf8'));
  } catch (cause) {
    if (cause instanceof ImageError) throw cause;
    throw new ImageError('LAYOUT_INVALID', `its ${MANIFEST} is not JSON`, { cause });
  }
  const read = z.array(archivedSchema).safeParse(json);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  throw new ImageError('LAYOUT_INVALID', `its ${MANIFEST} at ${issue?.path.join('.')}: ${issue?.message}`);
}

function choose(images: readonly ArchivedImage[], { file, name, position }: ArchiveSource): ArchivedImage {
  if (images.length === 0) throw new ImageError('NOT_FOUND', 'it holds no image');
  const found =
    position !== undefined
      ? images.slice(position, position + 1)
      : images.filter((image) => name === undefined || (image.RepoTags ?? []).some((tag) => canonical(tag) === name));
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  const all = images.map(({ RepoTags }, i) => (RepoTags ?? []).filter(isPrintable).join(' = ') || `:@${i} has no name`);
  const held = `it holds ${images.length === 1 ? 'one image' : `${images.length} images`}`;
  const what =
    only !== undefined
      ? held
      : position === undefined
        ? `no image is called ${name}; ${held}`
        : `no image ${position}; ${held}`;
  throw new ImageError('NOT_FOUND', `${what}: ${all.join(', ')}`, {
    hint: `write docker-archive:${file}:NAME${images.length > 1 ? `, or :@0 to :@${images.length - 1} for its position` : ''}`,
  });
}

function canonical(name: string): string | undefined {
  try {
    return formatReference(parseReference(name));
  } catch {
    return undefined;
  }
}

/** Names come from a foreign file and go to a terminal. */
function isPrintable(name: string): boolean {
  return /^[!-~]{1,300}$/.test(name);
}

/** Tools call a config by its digest. Where this one is called so, the name must be true. */
function checkName(name: string, config: Buffer): void {
  const hex = /^([0-9a-f]{64})(?:\.json)?$/.exec(posix.basename(name))?.[1];
  const found = digestOf(config);
  if (hex === undefined || found === `sha256:${hex}`) return;
  throw new ImageError('DIGEST_MISMATCH', `its config is called ${posix.basename(name)}, and has the digest ${found}`);
}

/** @returns the layers in the order of the image */
async function takeLayers(
  store: ContentStore,
  members: ArchiveMembers,
  names: readonly string[],
  diffIds: readonly Digest[],
  options: { signal?: AbortSignal },
): Promise<Descriptor[]> {
  if (names.length !== diffIds.length) {
    throw new ImageError('MANIFEST_INVALID', `it has ${names.length} layers and ${diffIds.length} diff_ids`);
  }
  const expected = new Map<string, Digest>();
  for (const [i, diffId] of diffIds.entries()) expected.set(members.resolve(names[i] ?? ''), diffId);
  const taken = new Map<string, Descriptor>();
  for await (const file of members.files(names)) {
    options.signal?.throwIfAborted();
    const diffId = expected.get(file.path);
    if (diffId === undefined) continue;
    taken.set(
      file.path,
      await takeLayer(store, file, diffId, options).catch((error) => {
        if (!(error instanceof ImageError) || error.code === 'STORE_IO') throw error;
        throw new ImageError(error.code, `the layer ${JSON.stringify(file.path)}: ${error.message}`, { cause: error });
      }),
    );
  }
  return names.flatMap((name, i) => {
    const descriptor = taken.get(members.resolve(name));
    if (descriptor === undefined || expected.get(members.resolve(name)) === diffIds[i]) return descriptor ?? [];
    throw new ImageError('DIGEST_MISMATCH', `two layers with two diff_ids are one file: ${JSON.stringify(name)}`);
  });
}

/** docker with containerd's store writes compressed layers, all others plain ones. */
async function takeLayer(
  store: ContentStore,
  { content, size }: LayerFile,
  diffId: Digest,
  options: { signal?: AbortSignal },
): Promise<Descriptor> {
  const { head, whole } = await peek(content);
  const compression = detectCompression(head);
  const source = Readable.from(whole, { objectMode: false });
  if (compression === 'none') {
    await store.write({ digest: diffId, size }, source, options);
    return { mediaType: MEDIA_TYPE.layer, digest: diffId, size };
  }
  const written = await store.ingest(source, options);
  await verifyDiffId(store.stream(written.digest), diffId, { compression });
  return { mediaType: layerMediaType(compression), ...written };
}
