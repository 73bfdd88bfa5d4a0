// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { ANNOTATION } from './annotations.ts';
import { digestOf } from './digest.ts';
import { MEDIA_TYPE } from './media-types.ts';
import { selectManifest } from './select-manifest.ts';

const entry = (name: string, more: object = {}) => ({
  mediaType: MEDIA_TYPE.manifest,
  digest: digestOf(name),
  size: 1,
  annotations: { [ANNOTATION.profile]: name },
  platform: { architecture: 'amd64', os: 'linux' },
  ...more,
});
const index = (...manifests: ReturnType<typeof entry>[]) => ({ schemaVersion: 2 as const, manifests });

test('the first for this platform, or that of the profile', () => {
  const both = index(entry('arm', { platform: { architecture: 'arm64', os: 'linux' } }), entry('a'), entry('b'));
  expect(selectManifest(both).digest).toBe(digestOf('a'));
  expect(selectManifest(both, 'b').digest).toBe(digestOf('b'));
});

test('of a partly pulled index the first that is there, unless a profile is asked for', () => {
  const both = index(entry('a'), entry('b'));
  const held = ({ digest }: { digest: string }) => digest === digestOf('b');
  expect(selectManifest(both, undefined, held).digest).toBe(digestOf('b'));
  expect(selectManifest(both, 'a', held).digest).toBe(digestOf('a'));
  expect(selectManifest(both, undefined, () => false).digest).toBe(digestOf('a'));
});

test('what an index says of profiles cannot move the cursor', () => {
  expect(() => selectManifest(index(entry('a\u001b[2J')), 'c')).toThrow(
    expect.objectContaining({ hint: 'it has: none that names a profile' }),
  );
});

test('an error names the profiles that there are', () => {
  expect(() => selectManifest(index(entry('a'), entry('b')), 'c')).toThrow(
    expect.objectContaining({ code: 'NOT_FOUND', hint: 'it has: a, b' }),
  );
  expect(() => selectManifest(index())).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
});

test('attestations are no images, and an amd64 for all processors comes first', () => {
  const attestation = entry('x', {
    platform: undefined,
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  });
  const unknown = entry('u', { platform: { os: 'unknown', architecture: 'unknown' } });
  const v3 = entry('v3', { platform: { os: 'linux', architecture: 'amd64', variant: 'v3' } });
  expect(selectManifest(index(attestation, unknown, v3, entry('a'))).digest).toBe(digestOf('a'));
  expect(selectManifest(index(attestation, v3)).digest).toBe(digestOf('v3'));
});

test('an index without amd64 is refused with the platforms that it has', () => {
  const arm64 = entry('arm', { platform: { architecture: 'arm64', os: 'linux', variant: 'v8' } });
  const unknown = entry('u', { platform: { os: 'unknown', architecture: 'unknown' } });
  const odd = entry('o', { platform: { os: 'linux', architecture: '\u001b[2J' } });
  expect(() => selectManifest(index(arm64, unknown, odd))).toThrow(
    'the index has no image for linux on amd64: it has linux/arm64/v8',
  );
  expect(() => selectManifest(index(unknown))).toThrow('it has no images');
});
