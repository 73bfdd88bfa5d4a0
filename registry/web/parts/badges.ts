// SPDX-License-Identifier: Apache-2.0
import type { VNode } from 'preact';
import type { ManifestKind } from '../../browse/index.ts';
import { type Content, html } from '../html.ts';
import { type IconName, icon } from './icon.ts';
import { foreign } from './text.ts';

export function badge(text: Content, kind = '', name?: IconName): VNode {
  return html`<span class=${`badge ${kind}`}>${name === undefined ? '' : icon(name)}${text}</span>`;
}

interface Facts {
  kind: ManifestKind;
  artifactType?: string | undefined;
  profiles?: readonly string[];
  variant?: string | undefined;
  signed: boolean;
  /** Where it is known otherwise than by its profiles. */
  isUnikernel?: boolean;
}

const KINDS: Record<ManifestKind, [text: string, icon: IconName]> = {
  image: ['container image', 'package'],
  index: ['index', 'versions'],
  artifact: ['artifact', 'archive'],
  chart: ['Helm chart', 'package-dependencies'],
  kernel: ['kernel', 'cpu'],
  unknown: ['unknown kind', 'file'],
};

/** What a manifest is, as far as it is short: its kind, profiles, variant, and whether a signature is attached. */
export function facts(known: Facts): VNode {
  const { kind, artifactType, profiles = [], variant, signed } = known;
  const { isUnikernel = variant !== undefined || profiles.length > 0 } = known;
  const [text, name] = isUnikernel && kind === 'image' ? (['unikernel', 'cpu'] as const) : KINDS[kind];
  return html`<span class="badges">
    ${badge(text, `kind-${isUnikernel ? 'unikernel' : kind}`, name)}
    ${artifactType === undefined || kind !== 'artifact' ? '' : badge(foreign(artifactType, { limit: 60 }), 'plain')}
    ${profiles.slice(0, 4).map((profile) => badge(foreign(profile, { limit: 40 }), 'plain'))}
    ${profiles.length > 4 ? badge(`${profiles.length - 4} more profiles`, 'plain') : ''}
    ${variant === undefined || variant === 'default' ? '' : badge(foreign(variant, { limit: 40 }), 'plain')}
    ${signed ? badge('signed', 'signed', 'shield-check') : ''}
  </span>`;
}
