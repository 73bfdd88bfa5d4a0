// SPDX-License-Identifier: Apache-2.0
import type { Image, Layer } from '../../browse/index.ts';
import type { Named } from '../addresses.ts';
import { type Content, html } from '../html.ts';
import type { View } from '../view.ts';
import { bytes, formatBytes, moment } from './amounts.ts';
import { digestText } from './copy.ts';
import { icon } from './icon.ts';
import { colour, proportionalBar } from './layer-bar.ts';
import { mediaTypeName } from './media-types.ts';
import { type TableRow, table } from './table.ts';
import { amount, foreign, foreignAttribute } from './text.ts';
import { verifyButton } from './verify.ts';

/** Rows that stand in the page; an image may have 1,000 layers. */
const MOST_ROWS = 200;

const ROLE_MEANS: Record<string, string> = {
  kernel: 'the Linux kernel',
  deps: 'libraries and the file system',
  app: 'the program',
  config: 'what the container config cannot say',
};

/** What an image is made of: one bar in proportion, one row a layer. */
export function layersSection(image: Image, reference: string, view: View): Content {
  const { layers, kind } = image;
  const isImage = kind === 'image' || kind === 'kernel';
  const named = { repository: image.repository, reference };
  if (layers.length === 0)
    return html`<section aria-labelledby="layers"><h2 id="layers">Layers</h2><p class="empty">It has none.</p></section>`;
  const parts = layers.map((layer) => ({
    size: layer.size,
    role: layer.role,
    label: foreignAttribute(`${layerName(layer)}, ${formatBytes(layer.size)}`),
    href: `#layer-${layer.number}`,
  }));
  return html`<section aria-labelledby="layers">
    <h2 id="layers">${isImage ? 'Layers' : 'Content'} <span class="count">${layers.length.toLocaleString('en')}</span></h2>
    ${proportionalBar(parts, 'Layers in proportion to their compressed size')}
    ${table({
      caption: 'Layers',
      className: 'layers',
      columns: [
        { label: 'Layer', kind: 'main' },
        { label: 'Digest' },
        { label: 'Size', kind: 'number' },
        { label: 'Shared with' },
        { label: 'More', kind: 'actions' },
      ],
      rows: layers.slice(0, MOST_ROWS).map((layer) => layerRow(layer, named, isImage, view)),
    })}
    ${layers.length > MOST_ROWS ? html`<p class="dim">${layers.length - MOST_ROWS} more are in the manifest.</p>` : ''}
  </section>`;
}

function layerRow(layer: Layer, named: Named, isImage: boolean, view: View): TableRow {
  const { addresses } = view;
  const files = addresses.imagePart(named, 'files', { layer: layer.number });
  const canList = isImage && layer.unreadable === undefined;
  const content = addresses.imagePart(named, 'content', { layer: layer.number });
  const name = layerName(layer);
  return {
    id: `layer-${layer.number}`,
    cells: [
      html`<span class="stacked">
        <span>
          <span class=${`swatch ${colour(layer, layer.number)}`}></span>
          ${canList ? html`<a class="name" href=${files}>${foreign(name, { limit: 120 })}</a>` : foreign(name, { limit: 120 })}
        </span>
        ${layer.role !== undefined && ROLE_MEANS[layer.role] !== undefined ? html`<span class="dim">${ROLE_MEANS[layer.role]}</span>` : ''}
        ${layer.unreadable === undefined || !isImage ? '' : html`<span class="warn">${icon('alert')} ${foreign(layer.unreadable, { limit: 200 })}</span>`}
      </span>`,
      html`<span class="stacked">${digestText(layer.digest)}<span class="dim small" title=${foreignAttribute(layer.mediaType)}>${mediaTypeName(layer.mediaType) ?? foreign(layer.mediaType, { limit: 100 })}</span></span>`,
      html`<span class="stacked">${bytes(layer.size)}${layer.unpacked === undefined ? '' : html`<span class="dim">${bytes(layer.unpacked)} unpacked</span>`}</span>`,
      sharing(layer, named, view),
      html`<span class="actions">
        ${isImage ? '' : html`<a href=${content} title="Show it">${icon('code')}<span class="hidden">Show ${name}</span></a>`}
        ${layer.link === undefined ? html`<span class="dim">not held here</span>` : verifyButton(layer.digest, layer.size, addresses.bytes(layer.link))}
      </span>`,
    ],
  };
}

function sharing({ sharedBy, digest }: Layer, named: Named, { addresses }: View): Content {
  if (sharedBy === undefined) return html`<span class="dim unbroken">not counted</span>`;
  const { repositories, images, more } = sharedBy;
  if (repositories === 0 && images === 0) return html`<span class="dim unbroken">nothing else</span>`;
  const parts = [
    ...(images === 0 ? [] : [amount(images, 'image')]),
    ...(repositories === 0 ? [] : [amount(repositories, 'repository', 'repositories')]),
  ];
  return html`<a href=${addresses.imagePart(named, 'sharing', { digest })}>${parts.join(', ')}${more ? ' or more' : ''}</a>`;
}

/** `kernel`, or what its place is. */
export function layerName({ role, annotations, number }: Layer): string {
  return role ?? annotations?.['org.opencontainers.image.title'] ?? `layer ${number + 1}`;
}

/** The commands that made the image, each with its layer. */
export function historySection({ history, layers }: Image, { now }: View): Content {
  if (history.length === 0) return '';
  return html`<section aria-labelledby="history">
    <h2 id="history">History <span class="count">${history.length.toLocaleString('en')}</span></h2>
    <ol class="history">
      ${history.slice(0, MOST_ROWS).map((step) => {
        const layer = step.layer === undefined ? undefined : layers[step.layer];
        return html`<li>
          <code>${foreign(step.createdBy ?? step.comment ?? 'not said', { limit: 600 })}</code>
          <span class="dim">
            ${layer === undefined ? 'no files' : html`<a href=${`#layer-${layer.number}`}>${formatBytes(layer.size)}</a>`}
            ${step.created === undefined ? '' : html`, ${moment(step.created, now)}`}
            ${step.author === undefined || step.author === '' ? '' : html`, ${foreign(step.author, { limit: 100 })}`}
          </span>
        </li>`;
      })}
    </ol>
  </section>`;
}
