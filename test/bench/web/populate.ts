// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf, MEDIA_TYPE } from '../../../image-format/index.ts';
import { atOnce } from '../../../registry/browse/at-once.ts';
import {
  blobKey,
  blobLinkKey,
  blobRepositoryKey,
  catalogKey,
  manifestKey,
  sortableTime,
  taggedKey,
  tagHistoryKey,
  tagKey,
} from '../../../registry/service/keys.ts';
import { encodeManifest } from '../../../registry/service/manifest-record.ts';
import { encode } from '../../../registry/service/records.ts';
import type { ObjectStore } from '../../../registry/storage/contract.ts';

export interface Scale {
  repositories: number;
  /** Of each repository. */
  tags: number;
}

/** Puts at once. */
const WIDTH = 64;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Different programs; repositories share them, and all share one kernel. */
const PROGRAMS = 100;

export function nameOf(number: number): string {
  return `team-${number % 97}/product-${number % 13}/app-${number}`;
}

/** Writes the records that pushes would have written, without waiting for the disk at each of them. */
export async function populate(store: ObjectStore, { repositories, tags }: Scale, say: (line: string) => void) {
  const put = (key: string, value: Buffer) => store.put(key, value, { durable: false });
  const blob = async (text: string) => {
    const digest = digestOf(text);
    const begun = await store.beginData(`data/${sortableTime(Date.now())}-${digest.slice(7, 30)}`);
    async function* source() {
      yield Buffer.from(text);
    }
    const state = await store.appendData(begun, { [Symbol.asyncIterator]: source });
    await store.completeData(state);
    const record = { state: 'live', data: state.key, size: text.length, epoch: 1, renewed: Date.now() };
    await put(blobKey(digest), encode(record));
    return { digest, size: text.length, data: state.key };
  };
  type Blob = Awaited<ReturnType<typeof blob>>;
  const kernel = await blob('a kernel');
  const programs = await atOnce(
    Array.from({ length: PROGRAMS }, (_, at) => at),
    8,
    async (at) => {
      const layer = await blob(`program ${String(at).padStart(3, '0')}`);
      const config = await blob(
        JSON.stringify({
          os: 'linux',
          architecture: 'amd64',
          config: { Entrypoint: [`/app-${String(at).padStart(3, '0')}`] },
          rootfs: { type: 'layers', diff_ids: [kernel.digest, layer.digest] },
        }),
      );
      return { layer, config };
    },
  );
  const link = async (repository: string, { digest, data }: Blob) => {
    await put(blobRepositoryKey(digest, repository), encode({ data }));
    await put(blobLinkKey(repository, digest), encode({ data, renewed: Date.now() }));
  };
  const begun = Date.now();
  let done = 0;
  await atOnce(
    Array.from({ length: repositories }, (_, at) => at),
    Math.max(1, WIDTH / 8),
    async (number) => {
      const repository = nameOf(number);
      const { layer, config } = programs[number % PROGRAMS] ?? (programs[0] as (typeof programs)[number]);
      await put(catalogKey(repository), encode({ since: begun }));
      await Promise.all([kernel, layer, config].map((one) => link(repository, one)));
      await atOnce(
        Array.from({ length: tags }, (_, at) => at),
        8,
        async (at) => {
          const version = begun - ((number * tags + at) % 1000) * DAY_MS;
          const bytes = Buffer.from(manifestText({ kernel, layer, config }, number, at));
          const digest: Digest = digestOf(bytes);
          const tag = `v1.${at}`;
          const record = { version, mediaType: MEDIA_TYPE.manifest, size: bytes.length, bytes };
          await Promise.all([
            put(manifestKey(repository, digest), encodeManifest(record)),
            put(taggedKey(repository, digest, tag), encode({ version })),
            put(tagKey(repository, tag), encode({ digest, version })),
            put(tagHistoryKey(repository, tag, `${sortableTime(version)}-0`), encode({ at: version, digest })),
          ]);
        },
      );
      done += 1;
      if (done % 1000 === 0) say(`${done} repositories, ${Math.round((Date.now() - begun) / 1000)} s`);
    },
  );
}

function manifestText(
  blobs: Record<'kernel' | 'layer' | 'config', { digest: Digest; size: number }>,
  number: number,
  at: number,
): string {
  const described = (mediaType: string, { digest, size }: { digest: Digest; size: number }, role?: string) => ({
    mediaType,
    digest,
    size,
    ...(role === undefined ? {} : { annotations: { 'vnd.uk.layer.role': role } }),
  });
  // As long for every number, so that the load knows how long answers are.
  const unique = `${String(number).padStart(6, '0')}-${String(at).padStart(4, '0')}`;
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: described(MEDIA_TYPE.config, blobs.config),
    layers: [described(MEDIA_TYPE.layer, blobs.kernel, 'kernel'), described(MEDIA_TYPE.layer, blobs.layer, 'app')],
    annotations: { unique, 'vnd.uk.profile': 'qemu-microvm', 'vnd.uk.kernel.variant': 'default' },
  });
}
