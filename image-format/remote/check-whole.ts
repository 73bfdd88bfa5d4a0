// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../descriptor.ts';
import { ImageError } from '../errors.ts';
import { MANIFEST_LIMIT, reachableFrom } from '../layout/reach.ts';
import type { ContentStore } from '../layout/store.ts';
import { parseManifestDocument } from '../manifest.ts';
import { describeEntry, isAttestation, isForUs, profileOf } from '../select-manifest.ts';

/**
 * Everything that a descriptor reaches, children before their parents, all of it in the store with the right size. A
 * registry takes an index only with all that it names, so this comes before the first upload.
 *
 * @throws ImageError `NOT_FOUND` that says what is missing and how to get it; `MANIFEST_INVALID`
 */
export async function wholeContent(store: ContentStore, root: Descriptor): Promise<Descriptor[]> {
  await checkIndex(store, root);
  const all = await reachableFrom(store, root, { missing: 'throw' });
  for (const { digest, size } of all) {
    const found = await store.stat(digest);
    if (found === size) continue;
    const what = found === undefined ? 'is not in the store' : `has ${found} bytes there instead of ${size}`;
    throw new ImageError('NOT_FOUND', `${digest} ${what}`, { hint: 'pull or build the image again' });
  }
  return all;
}

async function checkIndex(store: ContentStore, root: Descriptor): Promise<void> {
  const document = parseManifestDocument(await store.read(root.digest, MANIFEST_LIMIT), root.mediaType);
  if (document.kind === 'manifest') return;
  const { manifests } = document.value;
  const held: Descriptor[] = [];
  const missing: Descriptor[] = [];
  for (const descriptor of manifests) {
    ((await store.stat(descriptor.digest)) === undefined ? missing : held).push(descriptor);
  }
  const [first, ...others] = missing;
  if (first === undefined) return;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  throw new ImageError(
    'NOT_FOUND',
    `the store has ${held.length} of the ${manifests.length} manifests of this index: ${describeEntry(first)} is missing (${first.digest})${more}`,
    { hint: howToGet(missing, held) },
  );
}

function howToGet(missing: readonly Descriptor[], held: readonly Descriptor[]): string {
  const profile = missing.map(profileOf).find((name) => name !== undefined);
  const pull = 'pull it from where the index came from';
  if (profile !== undefined) return `${pull}: uk pull --profile ${profile} REF`;
  if (missing.some((descriptor) => isForUs(descriptor) && !isAttestation(descriptor)) && held.length === 0) {
    return `${pull}: uk pull REF`;
  }
  // `uk pull` takes one image of an index, and no attestation.
  const [only] = held.filter((descriptor) => isForUs(descriptor) && !isAttestation(descriptor));
  const alone =
    only === undefined ? '' : `uk pull REF@${only.digest} names the image that is here, to be pushed alone; `;
  return `${alone}skopeo copy --all docker://REF docker://NEW copies a whole index`;
}
