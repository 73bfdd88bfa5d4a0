// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf } from './digest.ts';
import { ImageError } from './errors.ts';
import { parseManifestDocument } from './manifest.ts';
import { MEDIA_TYPE } from './media-types.ts';

const config = { mediaType: MEDIA_TYPE.config, digest: digestOf('config'), size: 6 };
const layer = { mediaType: MEDIA_TYPE.layerZstd, digest: digestOf('layer'), size: 5 };
const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers: [layer] };
const index = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPE.index,
  manifests: [{ ...layer, mediaType: MEDIA_TYPE.manifest }],
};

function parse(document: unknown, mediaType?: string) {
  return parseManifestDocument(Buffer.from(JSON.stringify(document)), mediaType);
}

function refusal(code: string, message: RegExp) {
  return expect.objectContaining({ code, message: expect.stringMatching(message) });
}

describe('parseManifestDocument', () => {
  test('a manifest and an index, by what they say or by what they were sent as', () => {
    expect(parse(manifest).kind).toBe('manifest');
    expect(parse(index).kind).toBe('index');
    expect(parse({ ...manifest, mediaType: undefined }).kind).toBe('manifest');
    expect(parse({ ...manifest, mediaType: undefined }, MEDIA_TYPE.manifest).kind).toBe('manifest');
    expect(parse({ ...index, mediaType: undefined }).kind).toBe('index');
    expect(parse({ ...manifest, mediaType: MEDIA_TYPE.dockerManifest }).kind).toBe('manifest');
  });

  test('fields that it does not know stay', () => {
    expect(parse({ ...manifest, 'x-new': [1] }).value).toMatchObject({ 'x-new': [1] });
  });

  test('a document that could be read in two ways is refused', () => {
    expect(() => parse({ ...manifest, manifests: [] })).toThrow(refusal('MANIFEST_INVALID', /both/));
    expect(() => parse({ ...index, layers: [] })).toThrow(refusal('MANIFEST_INVALID', /both/));
    expect(() => parse(manifest, MEDIA_TYPE.index)).toThrow(
      refusal('MANIFEST_INVALID', /mediaType is .* but it was sent as/),
    );
  });

  test.each<[string, unknown, RegExp]>([
    ['no config', { ...manifest, config: undefined }, /config/],
    [
      'a digest that is none',
      { ...manifest, config: { ...config, digest: 'sha256:12' } },
      /config\.digest: not a digest/,
    ],
    ['a negative size', { ...manifest, layers: [{ ...layer, size: -1 }] }, /layers\.0\.size/],
    ['a fraction of a byte', { ...manifest, layers: [{ ...layer, size: 1.5 }] }, /layers\.0\.size/],
    ['schema 1', { ...manifest, schemaVersion: 1 }, /schemaVersion/],
    ['annotations that are no text', { ...manifest, annotations: { a: 1 } }, /annotations\.a/],
  ])('%s', (_name, document, message) => {
    expect(() => parse(document)).toThrow(refusal('MANIFEST_INVALID', message));
  });

  test('what is no manifest', () => {
    expect(() => parse([])).toThrow(refusal('MEDIA_TYPE_UNSUPPORTED', /no media type/));
    expect(() => parse(manifest, 'text/html')).toThrow(ImageError);
    expect(() => parseManifestDocument(Buffer.from('{'))).toThrow(refusal('MANIFEST_INVALID', /not JSON/));
    expect(() => parseManifestDocument(Buffer.from([0x22, 0xff, 0x22]))).toThrow(
      refusal('MANIFEST_INVALID', /not JSON/),
    );
  });

  test('any JSON gives a document or an error of ours', () => {
    const keys = fc.constantFrom('schemaVersion', 'mediaType', 'config', 'layers', 'manifests', 'digest', 'size');
    const json = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(keys, fc.oneof(fc.jsonValue(), fc.constantFrom(2, [], config))),
    );
    fc.assert(
      fc.property(json, fc.option(fc.constantFrom(...Object.values(MEDIA_TYPE))), (document, mediaType) => {
        try {
          parse(document, mediaType ?? undefined);
        } catch (error) {
          expect(error).toBeInstanceOf(ImageError);
        }
      }),
    );
  });
});
