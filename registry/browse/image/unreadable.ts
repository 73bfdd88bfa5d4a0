// SPDX-License-Identifier: Apache-2.0
import { isForeignLayer, layerCompression } from '../../../image-format/index.ts';

/** Archives of other artifacts, Helm's charts among them. */
const ARCHIVE = /[.+]tar(?:[.+](?:gzip|zstd))?$/;

/** Why the files of a layer cannot be listed, as far as its descriptor says; undefined where they can. */
export function whyUnreadable(mediaType: string, held: boolean): string | undefined {
  if (isForeignLayer(mediaType)) return 'the layer is kept elsewhere';
  if (/\+encrypted$/.test(mediaType)) return 'the layer is encrypted';
  if (layerCompression(mediaType) === undefined && !ARCHIVE.test(mediaType)) {
    return `${mediaType.slice(0, 120)} is no layer of files`;
  }
  return held ? undefined : 'the registry does not hold the layer';
}
