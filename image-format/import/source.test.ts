// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ImageError } from '../errors.ts';
import { parseSource } from './index.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

test.each([
  ['oci:dir', { kind: 'oci', folder: 'dir' }],
  ['oci:/a/b:1.2', { kind: 'oci', folder: '/a/b', tag: '1.2' }],
  ['oci:a:localhost:5000/x:1', { kind: 'oci', folder: 'a', tag: 'localhost:5000/x:1' }],
  [`oci:a@b@${DIGEST}`, { kind: 'oci', folder: 'a@b', digest: DIGEST }],
  ['oci:user@host', { kind: 'oci', folder: 'user@host' }],
  ['docker-archive:x.tar', { kind: 'docker-archive', file: 'x.tar' }],
  ['docker-archive:x.tar:debian', { kind: 'docker-archive', file: 'x.tar', name: 'docker.io/library/debian:latest' }],
  ['docker-archive:x.tar:@1', { kind: 'docker-archive', file: 'x.tar', position: 1 }],
])('%s', (text, source) => expect(parseSource(text)).toEqual(source));

test.each(['debian', 'localhost:5000/oci:1', 'docker:dind', 'ocicrypt:1'])('%s is a reference', (text) => {
  expect(parseSource(text)).toBeUndefined();
});

test.each([
  ['oci:', 'it names no folder'],
  ['oci:a@sha256:12', 'is not a digest'],
  [`oci:a:1@${DIGEST}`, 'either a tag or a digest'],
  ['docker-archive::x', 'it names no file'],
  ['docker-archive:x:UPPER', 'not an image reference'],
  ['oci-archive:x.tar', 'from oci:DIR and from docker-archive:FILE only'],
  ['docker://debian', 'only'],
])('%s is refused', (text, why) => {
  expect(() => parseSource(text)).toThrow(
    expect.objectContaining({ code: 'REFERENCE_INVALID', message: expect.stringContaining(why) }),
  );
});

test('nothing else is thrown', () => {
  const prefix = fc.constantFrom('oci:', 'docker-archive:', '');
  fc.assert(
    fc.property(prefix, fc.string(), (start, rest) => {
      try {
        parseSource(start + rest);
      } catch (error) {
        expect(error).toBeInstanceOf(ImageError);
      }
    }),
  );
});
