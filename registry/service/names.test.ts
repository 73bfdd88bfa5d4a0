// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../image-format/index.ts';
import { checkKey } from '../storage/contract.ts';
import * as keys from './keys.ts';
import { checkManifestReference, checkRepository, checkTag } from './names.ts';

const component = fc.stringMatching(/^[a-z0-9]{1,8}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,8}){0,3}$/);
const repository = fc
  .array(component, { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join('/'))
  .filter((name) => name.length <= 255);
const tag = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/);
const digest = fc.oneof(
  fc.string().map((text) => digestOf(text)),
  fc.string().map((text) => digestOf(text, 'sha512')),
);

describe('names', () => {
  test('that are legal pass, and make legal keys', () => {
    fc.assert(
      fc.property(repository, tag, digest, fc.uuid(), (name, label, of, id) => {
        expect(checkRepository(name)).toBe(name);
        expect(checkTag(label)).toBe(label);
        for (const key of everyKey(name, label, of, id)) expect(checkKey(key)).toBe(key);
      }),
    );
  });

  test('at their longest make legal keys', () => {
    for (const name of ['x'.repeat(254), `${'x/'.repeat(127)}y`]) {
      const of = digestOf('x', 'sha512');
      for (const key of everyKey(checkRepository(name), 'T'.repeat(128), of, 'id')) expect(checkKey(key)).toBe(key);
    }
  });

  test('of any other kind are refused with a code, never let through', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'aA/._-%0:') })), (text) => {
        for (const [check, code] of [
          [checkRepository, 'NAME_INVALID'],
          [checkTag, 'TAG_INVALID'],
        ] as const) {
          try {
            expect(checkKey(`x/${check(text)}`)).toBe(`x/${text}`);
          } catch (error) {
            expect(error).toMatchObject({ code });
          }
        }
      }),
    );
  });

  test('behind /manifests/ are digests where they hold a colon', () => {
    expect(checkManifestReference('latest')).toEqual({ tag: 'latest' });
    expect(checkManifestReference(digestOf('x'))).toEqual({ digest: digestOf('x') });
    expect(() => checkManifestReference('sha256:x')).toThrow(expect.objectContaining({ code: 'DIGEST_INVALID' }));
  });
});

test('no key is the folder of another one', () => {
  fc.assert(
    fc.property(
      fc.array(repository, { minLength: 2, maxLength: 4 }),
      fc.array(tag, { minLength: 2 }),
      digest,
      (names, tags, of) => {
        const all = names.flatMap((name) => tags.flatMap((label) => everyKey(name, label, of, 'id')));
        const files = new Set(all);
        for (const key of all) {
          for (let cut = key.lastIndexOf('/'); cut > 0; cut = key.lastIndexOf('/', cut - 1)) {
            expect(files.has(key.slice(0, cut))).toBe(false);
          }
        }
      },
    ),
  );
});

function everyKey(name: string, label: string, of: ReturnType<typeof digestOf>, id: string): string[] {
  return [
    keys.freshDataKey({ now: () => 1e12, uniqueId: () => id }),
    keys.blobKey(of),
    keys.blobRepositoryKey(of, name),
    keys.blobLinkKey(name, of),
    keys.manifestKey(name, of),
    keys.tagKey(name, label),
    keys.tagHistoryKey(name, label, '000001234567890-id'),
    keys.taggedKey(name, of, label),
    keys.referrerKey(name, of, of),
    keys.catalogKey(name),
    keys.uploadKey(id),
  ];
}
