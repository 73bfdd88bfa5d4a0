// SPDX-License-Identifier: Apache-2.0
import type { PlatformRow } from '../../browse/index.ts';
import { type Content, html } from '../html.ts';
import { foreign } from './text.ts';

/** `linux/amd64, profile microvm` */
export function platformName({ platform, profile, variant }: PlatformRow): Content {
  return html`<span>
    ${platform === undefined ? 'platform not named' : foreign(platform, { limit: 80 })}
    ${profile === undefined ? '' : html`, ${foreign(profile, { limit: 80 })}`}
    ${variant === undefined || variant === 'default' ? '' : html`, ${foreign(variant, { limit: 40 })}`}
  </span>`;
}
