// SPDX-License-Identifier: Apache-2.0
import octicons from '@primer/octicons';
import type { VNode } from 'preact';
import { html } from '../html.ts';

export type IconName =
  | 'alert'
  | 'archive'
  | 'check-circle'
  | 'chevron-right'
  | 'clock'
  | 'code'
  | 'copy'
  | 'cpu'
  | 'database'
  | 'download'
  | 'file'
  | 'file-directory-fill'
  | 'file-symlink-file'
  | 'gear'
  | 'git-compare'
  | 'graph'
  | 'history'
  | 'info'
  | 'key'
  | 'law'
  | 'link'
  | 'list-unordered'
  | 'package'
  | 'package-dependencies'
  | 'paperclip'
  | 'search'
  | 'shield-check'
  | 'stack'
  | 'sun'
  | 'tag'
  | 'terminal'
  | 'trash'
  | 'versions'
  | 'x-circle';

const PIXELS = 16;

/** An icon beside a text that says the same: assistive technology passes it over. */
export function icon(name: IconName, className = ''): VNode {
  const drawing = octicons[name]?.heights[PIXELS];
  return html`<svg
    class=${`icon ${className}`}
    width=${PIXELS}
    height=${PIXELS}
    viewBox=${`0 0 ${drawing?.width ?? PIXELS} ${PIXELS}`}
    aria-hidden="true"
    dangerouslySetInnerHTML=${{ __html: drawing?.path ?? '' }}
  />`;
}
