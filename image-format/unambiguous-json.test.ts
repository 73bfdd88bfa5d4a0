// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ImageError } from './errors.ts';
import { parseImageConfig } from './image-config.ts';
import { checkUnambiguous, type Shape } from './unambiguous-json.ts';

const SHAPE: Shape = {
  object: { size: 'integer', name: 'text', list: { list: { object: { size: 'integer' } } }, labels: { map: 'text' } },
};

function check(text: string | Buffer): void {
  checkUnambiguous(Buffer.from(text), SHAPE, 'MANIFEST_INVALID', 'the document');
}

describe('checkUnambiguous', () => {
  test.each([
    '{"size": 5, "name": "x", "list": [{"size": -1}, {}], "labels": {"Size": "a", "size": "b"}}',
    '{"unknown": {"size": 5.0, "Size": 1}, "UNKNOWN": 1e5}',
    '[{"size": 5.0}]',
    'null',
    '{"size": "5.0"}',
  ])('takes %s', (text) => {
    expect(() => check(text)).not.toThrow();
  });

  test.each([
    ['\ufeff{}', /byte order mark/],
    ['{"size": 5.0}', /size is 5\.0/],
    ['{"size": 5E0}', /size is 5E0/],
    ['{"list": [{}, {"size": 1.5}]}', /list\[1\]\.size is 1\.5/],
    ['{"Size": 5}', /"Size" for "size"/],
    ['{"\u017fize": 5}', /for "size"/],
    ['{"list": [{"SIZE": 5}]}', /"list\[0\]\.SIZE" for "size"/],
    ['{"name": 1, "name": 2}', /"name" stands in it twice/],
    ['{"labels": {"a": 1, "\\u0061": 2}}', /"labels\.a" stands in it twice/],
    ['{"x": 1, "x": 2}', /"x" stands in it twice/],
    ['{"name": "\\ud800"}', /name holds half of a surrogate pair/],
    ['{"labels": {"\\udc00": ""}}', /surrogate/],
    [`{"x": ${'['.repeat(100)}${']'.repeat(100)}}`, /levels deep/],
    ['{', /not JSON/],
  ])('refuses %s', (text, message) => {
    expect(() => check(text)).toThrow(
      expect.objectContaining({ code: 'MANIFEST_INVALID', message: expect.stringMatching(message) }),
    );
  });

  test('what JSON.stringify writes of whole numbers is taken, and brackets in text are no levels', () => {
    const value = fc.oneof(fc.string(), fc.maxSafeInteger(), fc.constant('['.repeat(200)), fc.constant('\\"[{'));
    const labels = fc.dictionary(fc.string(), fc.string());
    fc.assert(
      fc.property(fc.record({ size: fc.maxSafeInteger(), name: value, labels, list: fc.array(value) }), (document) => {
        check(JSON.stringify(document));
      }),
    );
  });

  test('any bytes are taken or refused by an error of ours', () => {
    const nearly = fc.stringMatching(/^[[\]{}",:\\0-9a-e .+-]{0,40}$/);
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), nearly.map(Buffer.from)), (bytes) => {
        try {
          check(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(ImageError);
        }
      }),
    );
  });
});

test("an image's config that two readers read differently is refused", () => {
  const config = '"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}';
  expect(() => parseImageConfig(Buffer.from(`{${config},"config":{"User":"1","user":"root"}}`))).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(/"config\.user" for "User"/) }),
  );
  expect(parseImageConfig(Buffer.from(`{${config},"config":{"User":"1","Labels":null}}`)).config?.User).toBe('1');
});
