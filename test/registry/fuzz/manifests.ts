// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { MEDIA_TYPE } from '../../../image-format/index.ts';
import { descriptorOf, EMPTY_JSON } from '../content.ts';
import { LAYER, MANIFEST } from './requests.ts';

export interface FuzzedManifest {
  bytes: Buffer;
  mediaType: string;
}

const text = (value: string) => JSON.stringify(value);

function oddNumber(number: number): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant(`${number}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        ...[`${number}.0`, `${number}e0`, `${number / 10}e1`, `${number}.`, `0${number}`, `-${number}`, `+${number}`],
        ...['1e400', '9223372036854775808', '18446744073709551616', '-0', 'null', `"${number}"`, 'true'],
      ),
    },
    { weight: 1, arbitrary: fc.nat().map(String) },
  );
}

/** A key, or one that some reader takes for it. */
function oddKey(key: string): fc.Arbitrary<string> {
  const variants = [
    key.toUpperCase(),
    `${key[0]?.toUpperCase()}${key.slice(1)}`,
    key.replace('s', '\u017f'),
    key.replace('k', '\u212a'),
    `${key} `,
  ];
  return fc.oneof(
    { weight: 20, arbitrary: fc.constant(text(key)) },
    { weight: 1, arbitrary: fc.constantFrom(...variants).map(text) },
    {
      weight: 1,
      arbitrary: fc.constant(`"\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}${key.slice(1)}"`),
    },
  );
}

function orNull(value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof({ weight: 8, arbitrary: value }, { weight: 1, arbitrary: fc.constant('null') });
}

/** An object of these members; some of them may be left out, come again, or come in another order. */
function object(fields: Record<string, fc.Arbitrary<string>>, optional: readonly string[] = []): fc.Arbitrary<string> {
  const member = (key: string) => fc.tuple(oddKey(key), fields[key] ?? fc.constant('0')).map((pair) => pair.join(':'));
  const needed = Object.keys(fields).filter((key) => !optional.includes(key));
  return fc
    .tuple(
      fc.tuple(...needed.map(member)),
      fc
        .subarray([...optional], { maxLength: Math.min(2, optional.length) })
        .chain((keys) => fc.tuple(...keys.map(member))),
      fc.oneof(
        { weight: 10, arbitrary: fc.constant<string[]>([]) },
        { weight: 1, arbitrary: fc.constantFrom(...Object.keys(fields)).chain((key) => fc.tuple(member(key))) },
      ),
    )
    .chain((parts) => {
      const members = parts.flat();
      return fc.oneof(fc.constant(members), fc.shuffledSubarray(members, { minLength: members.length }));
    })
    .map((members) => `{${members.join(',')}}`);
}

const annotations = orNull(
  fc.oneof(
    fc.dictionary(fc.string({ maxLength: 3 }), fc.string({ maxLength: 3 })).map((map) => JSON.stringify(map)),
    fc.constantFrom('{"a":"1","a":"2"}', '{"a":null}', '{"a":1}', '{"a":"\\ud800"}', '{"\\ud800":"a"}', '[]'),
  ),
);

function descriptor(bytes: Buffer | string, mediaType: string): fc.Arbitrary<string> {
  const { digest, size } = descriptorOf(bytes, mediaType);
  const data = Buffer.from(bytes).toString('base64');
  const platform = object(
    {
      architecture: fc.constant('"amd64"'),
      os: fc.constant('"linux"'),
      'os.features': fc.constantFrom('[]', 'null', '""'),
    },
    ['os.features'],
  );
  return object(
    {
      mediaType: fc.constant(text(mediaType)),
      digest: fc.constant(text(digest)),
      size: oddNumber(size),
      data: orNull(fc.constantFrom(text(data), text(`${data}\n`), text(data.replace(/=+$/, '')), '"e30K"', '7')),
      urls: orNull(fc.constantFrom('[]', '["https://example.com/x"]', '"x"', '[1]')),
      annotations,
      platform: orNull(platform),
      artifactType: orNull(fc.constantFrom('"application/x"', '""', '1')),
    },
    ['data', 'urls', 'annotations', 'platform', 'artifactType'],
  );
}

function list(item: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return orNull(fc.array(item, { maxLength: 3 }).map((items) => `[${items.join(',')}]`));
}

const common = {
  schemaVersion: oddNumber(2),
  annotations,
  subject: orNull(descriptor(MANIFEST, MEDIA_TYPE.manifest)),
  artifactType: orNull(fc.constantFrom('"application/x"', '""', '1')),
};

const manifest = object(
  {
    ...common,
    mediaType: orNull(fc.constant(text(MEDIA_TYPE.manifest))),
    config: descriptor(EMPTY_JSON, MEDIA_TYPE.empty),
    layers: list(descriptor(LAYER, MEDIA_TYPE.layer)),
    manifests: fc.constantFrom('null', '[]'),
  },
  ['annotations', 'subject', 'artifactType', 'manifests'],
);

const index = object(
  {
    ...common,
    mediaType: orNull(fc.constant(text(MEDIA_TYPE.index))),
    manifests: list(descriptor(MANIFEST, MEDIA_TYPE.manifest)),
    layers: fc.constantFrom('null', '[]'),
  },
  ['annotations', 'subject', 'artifactType', 'layers'],
);

const frame = fc.oneof(
  { weight: 10, arbitrary: fc.constant(['', '']) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ['\ufeff', ''],
      [' ', '\n'],
      ['', '{}'],
      ['', ','],
      ['/**/', ''],
      ['\u00a0', ''],
      ['', '\0'],
    ),
  },
);

/** Manifests that are nearly right, in the ways in which readers of JSON and of the OCI types differ. */
export const fuzzedManifest: fc.Arbitrary<FuzzedManifest> = fc
  .tuple(
    frame,
    fc.oneof(fc.tuple(manifest, fc.constant(MEDIA_TYPE.manifest)), fc.tuple(index, fc.constant(MEDIA_TYPE.index))),
  )
  .map(([[before = '', behind = ''], [body, mediaType]]) => ({
    bytes: Buffer.from(before + body + behind),
    mediaType,
  }));
