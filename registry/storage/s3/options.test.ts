// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { resolveOptions } from './options.ts';

test('options that say little are enough', () => {
  expect(resolveOptions({ bucket: 'images', prefix: 'a/b//' })).toMatchObject({
    prefix: 'a/b/',
    endpoint: undefined,
    pathStyle: false,
    credentials: undefined,
    redirect: false,
    exclusive: false,
  });
  expect(resolveOptions({ bucket: 'images', endpoint: 'http://ceph:7480' })).toMatchObject({
    prefix: '',
    pathStyle: true,
    publicEndpoint: 'http://ceph:7480',
  });
});

const wrong: [string, Parameters<typeof resolveOptions>[0], RegExp][] = [
  ['a bucket with a slash', { bucket: 'a/b' }, /no bucket/],
  ['a prefix that goes up', { bucket: 'b', prefix: 'a/../x' }, /prefix/],
  ['a prefix with other characters', { bucket: 'b', prefix: 'a b' }, /prefix/],
  ['a very long prefix', { bucket: 'b', prefix: 'x'.repeat(201) }, /prefix/],
  ['small parts', { bucket: 'b', partSize: 1024 }, /at least 5242880/],
  ['half of the credentials', { bucket: 'b', accessKeyId: 'x' }, /go together/],
  ['an endpoint that is none', { bucket: 'b', endpoint: 'ceph:7480' }, /endpoint/],
];
for (const [name, options, reason] of wrong) {
  test(`${name}: refused`, () => {
    expect(() => resolveOptions(options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(() => resolveOptions(options)).toThrow(reason);
  });
}

test('an endpoint with a password in it is not repeated', () => {
  expect(() => resolveOptions({ bucket: 'b', endpoint: 'ftp://user:secret@host' })).toThrow(/^(?!.*secret)/);
});
