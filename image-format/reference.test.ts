// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf } from './digest.ts';
import { ImageError } from './errors.ts';
import {
  familiarReference,
  formatReference,
  isRepositoryName,
  isTag,
  manifestIdentifier,
  parseReference,
  type Reference,
} from './reference.ts';

const DIGEST = digestOf('x');

describe('parseReference', () => {
  test.each<[string, Reference]>([
    ['hello', { registry: 'docker.io', repository: 'library/hello', tag: 'latest' }],
    ['a/b', { registry: 'docker.io', repository: 'a/b', tag: 'latest' }],
    ['docker.io/hello:1', { registry: 'docker.io', repository: 'library/hello', tag: '1' }],
    ['index.docker.io/a/b:1', { registry: 'docker.io', repository: 'a/b', tag: '1' }],
    ['localhost/hello', { registry: 'localhost', repository: 'hello', tag: 'latest' }],
    ['localhost:5000/hello:1', { registry: 'localhost:5000', repository: 'hello', tag: '1' }],
    ['[::1]:5000/a/b:c', { registry: '[::1]:5000', repository: 'a/b', tag: 'c' }],
    ['ghcr.io/a/b/c/d:v1.0', { registry: 'ghcr.io', repository: 'a/b/c/d', tag: 'v1.0' }],
    ['MyHost/a', { registry: 'MyHost', repository: 'a', tag: 'latest' }],
    [`h.io/a@${DIGEST}`, { registry: 'h.io', repository: 'a', digest: DIGEST }],
    [`h.io/a:1@${DIGEST}`, { registry: 'h.io', repository: 'a', tag: '1', digest: DIGEST }],
  ])('%s', (text, reference) => {
    expect(parseReference(text)).toEqual(reference);
  });

  test.each([
    '',
    ':',
    '@',
    '/',
    'localhost:5000/',
    'localhost:0/a',
    'localhost:65536/a',
    'h.io/A',
    'h.io/a//b',
    'h.io/../b',
    'h.io/a/',
    'h.io/a:',
    'h.io/a:b:c',
    'h.io/a:-b',
    `h.io/a:${'x'.repeat(129)}`,
    `h.io/${'a/'.repeat(127)}aa`,
    'h.io/a@sha256:12',
    'h.io/a b',
    'h.io/a%2fb',
    '-h.io/a',
    'http://h.io/a',
    'h.io/a\n',
  ])('%j is none', (text) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
  });

  const component = fc.stringMatching(/^[a-z0-9]{1,8}(?:[._-][a-z0-9]{1,8})?$/);
  const reference = fc.record({
    registry: fc.constantFrom('docker.io', 'localhost', 'localhost:5000', 'r.example', '127.0.0.1:80', '[::1]:5000'),
    path: fc.array(component, { minLength: 1, maxLength: 5 }),
    tag: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/),
    digest: fc.option(fc.uint8Array().map((bytes) => digestOf(bytes))),
  });

  test('the formats of a reference are read as that reference', () => {
    fc.assert(
      fc.property(reference, ({ registry, path, tag, digest }) => {
        const written = `${registry}/${path.join('/')}:${tag}${digest === null ? '' : `@${digest}`}`;
        const parsed = parseReference(written);
        expect(parsed.tag).toBe(tag);
        expect(parseReference(formatReference(parsed))).toEqual(parsed);
        expect(parseReference(familiarReference(parsed))).toEqual(parsed);
        expect(manifestIdentifier(parsed)).toBe(digest ?? tag);
      }),
    );
  });

  test('any text is a reference whose parts obey the grammar, or an error that names it', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-z:/@.0-9A-Z_-]{0,40}$/));
    fc.assert(
      fc.property(text, (written) => {
        try {
          const { repository, tag } = parseReference(written);
          expect(isRepositoryName(repository)).toBe(true);
          expect(tag === undefined || isTag(tag)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(ImageError);
          expect((error as ImageError).code).toBe('REFERENCE_INVALID');
        }
      }),
    );
  });
});

test('a familiar reference leaves out what Docker leaves out', () => {
  expect(familiarReference(parseReference('hello'))).toBe('hello:latest');
  expect(familiarReference(parseReference('a/b:1'))).toBe('a/b:1');
  expect(familiarReference(parseReference('ghcr.io/a:1'))).toBe('ghcr.io/a:1');
});
