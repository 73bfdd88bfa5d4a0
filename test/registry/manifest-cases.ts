// SPDX-License-Identifier: Apache-2.0
// Manifests on which readers disagree, and what a registry should answer. The repository that they are pushed to holds
// the blobs `{}` and `layer`, and the manifest IMAGE.
import { digestOf, MEDIA_TYPE } from '../../image-format/index.ts';
import { descriptorOf, EMPTY_JSON, manifestOf } from './content.ts';

export const LAYER = 'layer';
export const IMAGE = manifestOf([LAYER]);

export interface ManifestCase {
  name: string;
  bytes: Buffer;
  mediaType: string;
  /** What the answer's message must say where the manifest is to be refused; undefined: it is to be taken. */
  refused?: RegExp;
}

const layer = descriptorOf(LAYER, MEDIA_TYPE.layer);
const config = descriptorOf(EMPTY_JSON, MEDIA_TYPE.empty);
const image = { ...descriptorOf(IMAGE, MEDIA_TYPE.manifest) };
const document = { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers: [layer] };
const index = { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: [image] };

function manifest(name: string, text: string, refused?: RegExp): ManifestCase {
  return { name, bytes: Buffer.from(text), mediaType: MEDIA_TYPE.manifest, ...(refused ? { refused } : {}) };
}

function indexed(name: string, text: string, refused?: RegExp): ManifestCase {
  return { ...manifest(name, text, refused), mediaType: MEDIA_TYPE.index };
}

/** A manifest whose text is changed in one place. */
function edited(name: string, from: string, to: string, refused?: RegExp): ManifestCase {
  const text = JSON.stringify(document);
  if (!text.includes(from)) throw new Error(`the manifest does not hold ${from}`);
  return manifest(name, text.replace(from, to), refused);
}

const size = `"size":${layer.size}`;
const text = JSON.stringify(document);
const withData = (data: string, more: object = {}) =>
  JSON.stringify({ ...document, config: { ...config, data, ...more } });

export const MANIFEST_CASES: readonly ManifestCase[] = [
  manifest('an ordinary manifest', text),
  manifest('spaces and line feeds', JSON.stringify(document, null, 3)),
  indexed('an ordinary index', JSON.stringify(index)),
  manifest('a byte order mark', `\ufeff${text}`, /byte order mark/),

  edited('size 5.0', size, '"size":5.0', /layers\[0\]\.size is 5\.0/),
  edited('size 5e0', size, '"size":5e0', /layers\[0\]\.size is 5e0/),
  edited('size 0.5e1', size, '"size":0.5e1', /whole number/),
  edited('schemaVersion 2.0', '"schemaVersion":2', '"schemaVersion":2.0', /schemaVersion is 2\.0/),
  edited('a size beyond 2^63', size, '"size":9223372036854775808', /layers\.0\.size/),
  edited('a size as text', size, '"size":"5"', /layers\.0\.size/),
  edited('a negative size', size, '"size":-5', /layers\.0\.size/),

  edited('"Layers" beside "layers"', '"layers"', '"Layers":[],"layers"', /"Layers" for "layers"/),
  edited('"Layers" in place of "layers"', '"layers"', '"Layers"', /"Layers" for "layers"/),
  edited('"CONFIG" beside "config"', '"config"', '"CONFIG":null,"config"', /"CONFIG" for "config"/),
  edited('"layerſ", with a long s', '"layers"', '"layer\u017f":[],"layers"', /for "layers"/),
  edited('"Digest" in a descriptor', '"digest"', '"Digest":"x","digest"', /"config\.Digest" for "digest"/),
  edited('"SIZE" in a layer', size, `"SIZE":1,${size}`, /"layers\[0\]\.SIZE" for "size"/),
  indexed(
    '"OS" in a platform',
    JSON.stringify({ ...index, manifests: [{ ...image, platform: { architecture: 'amd64', os: 'linux', OS: 'x' } }] }),
    /"manifests\[0\]\.platform\.OS" for "os"/,
  ),
  edited('"layers" twice', '"layers"', '"layers":[],"layers"', /"layers" stands in it twice/),
  edited('"size" twice', size, `"size":1,${size}`, /"layers\[0\]\.size" stands in it twice/),
  edited('"layers" twice, once escaped', '"layers"', '"l\\u0061yers":[],"layers"', /"layers" stands in it twice/),
  edited('an unknown key twice', '"config"', '"x":1,"x":2,"config"', /"x" stands in it twice/),
  edited(
    'an annotation twice',
    '"config"',
    '"annotations":{"a":"1","a":"2"},"config"',
    /"annotations\.a" stands in it twice/,
  ),
  edited('annotations that differ in case', '"config"', '"annotations":{"a":"1","A":"2"},"config"'),
  edited('an unknown key', '"config"', '"x-new":{"Size":1.5},"config"'),
  manifest(
    'layers and manifests',
    JSON.stringify({ ...document, manifests: [image] }),
    /cannot have both "layers" and "manifests"/,
  ),

  edited('a layer that is larger than stated', size, '"size":4', /has 4 bytes, but .* 5 bytes/),
  edited('a layer that is smaller than stated', size, '"size":5000', /has 5000 bytes, but .* 5 bytes/),
  manifest(
    'a config of another size',
    JSON.stringify({ ...document, config: { ...config, size: 3 } }),
    /has 3 bytes, but .* 2 bytes/,
  ),
  indexed(
    'a child of another size',
    JSON.stringify({ ...index, manifests: [{ ...image, size: 7 }] }),
    /has 7 bytes, but/,
  ),
  manifest(
    'a subject of another size',
    JSON.stringify({ ...document, subject: { ...image, size: 7 } }),
    /has 7 bytes, but/,
  ),
  manifest(
    'a subject that is not there',
    JSON.stringify({ ...document, subject: { ...image, digest: digestOf('nothing'), size: 7 } }),
  ),
  manifest('data', withData('e30=')),
  manifest('data of another size', withData('e30K'), /data of config has 3 bytes/),
  manifest('data of another digest', withData('W10='), /data of config has the digest sha256:.* sha256:/),
  manifest('data without its padding', withData('e30'), /data of config is not base64/),
  manifest('data in the alphabet of URLs', withData('_-8='), /data of config is not base64/),

  edited('"layers": null', JSON.stringify([layer]), 'null'),
  edited('"annotations": null', '"config"', '"annotations":null,"config"'),
  edited('"manifests": null in a manifest', '"config"', '"manifests":null,"config"'),
  edited('"subject": null', '"config"', '"subject":null,"config"'),
  edited('"mediaType": null', `"mediaType":"${MEDIA_TYPE.manifest}"`, '"mediaType":null'),
  edited('"artifactType": null', '"config"', '"artifactType":null,"config"'),
  edited('nulls in a descriptor', size, `"urls":null,"annotations":null,"data":null,"platform":null,${size}`),
  edited('"config": null', JSON.stringify(config), 'null', /config/),
  edited('"size": null', size, '"size":null', /layers\.0\.size/),
  edited('"schemaVersion": null', '"schemaVersion":2', '"schemaVersion":null', /schemaVersion/),
  indexed('"manifests": null', JSON.stringify({ ...index, manifests: null })),
  indexed('"layers": null in an index', JSON.stringify({ ...index, layers: null, config: null })),

  edited('half of a surrogate pair', '"config"', '"annotations":{"a":"\\ud800"},"config"', /surrogate/),
  edited('a control character in text', '"config"', '"x":"\u0000","config"', /not JSON/),
  {
    ...manifest('bytes that are not UTF-8', '', /not JSON/),
    bytes: Buffer.from(text.replace('"config"', '"x":"\u00ff","config"'), 'latin1'),
  },
  edited('lists 101 levels deep', '"config"', `"x":${'['.repeat(100)}${']'.repeat(100)},"config"`, /levels deep/),
  edited(
    'lists 20,000 levels deep',
    '"config"',
    `"x":${'['.repeat(20_000)}${']'.repeat(20_000)},"config"`,
    /levels deep/,
  ),
  manifest('text behind the end', `${text}{}`, /not JSON/),
  edited('a comment', '"config"', '/* */"config"', /not JSON/),
  edited('a comma too many', '"config"', ',"config"', /not JSON/),
  edited('annotations that are no text', '"config"', '"annotations":{"a":1},"config"', /annotations\.a/),
  edited('urls that are no list', size, `"urls":"x",${size}`, /urls/),
];
