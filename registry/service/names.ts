// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest, isRepositoryName, isTag } from '../../image-format/index.ts';
import { RegistryError } from '../errors.ts';
import { MAX_SEGMENT } from '../storage/contract.ts';

/** @throws RegistryError `NAME_INVALID` */
export function checkRepository(name: string): string {
  // Markers put one character behind the name, and a segment of a key holds 255.
  if (isRepositoryName(name) && !name.split('/').some((component) => component.length >= MAX_SEGMENT)) return name;
  throw new RegistryError('NAME_INVALID', `${quote(name)} is not the name of a repository`, {
    hint: 'lower-case letters and digits, separated by ".", "_", "__", "-" or "/", at most 255 characters',
  });
}

/** @throws RegistryError `TAG_INVALID` */
export function checkTag(tag: string): string {
  if (isTag(tag)) return tag;
  throw new RegistryError('TAG_INVALID', `${quote(tag)} is not a tag`, {
    hint: 'at most 128 letters, digits, "_", "." and "-", the first one no "." or "-"',
  });
}

/** @throws RegistryError `DIGEST_INVALID` */
export function checkDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new RegistryError('DIGEST_INVALID', `${quote(text)} is not a digest`, {
    hint: 'sha256: and 64, or sha512: and 128, lower-case hexadecimal characters',
  });
}

/** What stands behind `/manifests/`: digests hold a colon, tags cannot. @throws RegistryError `TAG_INVALID`, `DIGEST_INVALID` */
export function checkManifestReference(text: string): { digest: Digest } | { tag: string } {
  return text.includes(':') ? { digest: checkDigest(text) } : { tag: checkTag(text) };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 160 ? `${text.slice(0, 160)}…` : text);
}
