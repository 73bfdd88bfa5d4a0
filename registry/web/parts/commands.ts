// SPDX-License-Identifier: Apache-2.0
import type { VNode } from 'preact';
import type { ManifestKind } from '../../browse/index.ts';
import { formatNamed, type Named } from '../addresses.ts';
import { html } from '../html.ts';
import type { PublicAddress } from '../public-address.ts';
import { command } from './copy.ts';

export interface Offered {
  /** The tag, where it has one. */
  tag?: string | undefined;
  digest: string;
  repository: string;
  kind: ManifestKind;
  /** Made by `uk`, for one of its hardware profiles. */
  isUnikernel: boolean;
}

interface Line {
  what: string;
  text: string;
}

/** What boots it, and what fetches it: by tag, which may move, and by digest, which does not. */
export function commandsFor(offered: Offered, address: PublicAddress): { byTag: Line[]; byDigest: Line[] } {
  const { repository, tag, digest } = offered;
  const lines = (reference: string) => linesFor(offered, { repository, reference }, address);
  return { byTag: tag === undefined ? [] : lines(tag), byDigest: lines(digest) };
}

function linesFor({ kind, isUnikernel }: Offered, named: Named, { host, secure }: PublicAddress): Line[] {
  const reference = `${host}/${formatNamed(named)}`;
  // The command speaks plain HTTP to its own machine only, unless it is told to.
  const plain = secure || isLoopback(host) ? '' : ' --plain-http';
  const run = { what: 'Run it', text: `uk run${plain} ${reference}` };
  const pull = { what: 'Pull it', text: `uk pull${plain} ${reference}` };
  switch (kind) {
    case 'chart': {
      const version = named.reference.includes(':') ? `@${named.reference}` : ` --version ${named.reference}`;
      return [
        {
          what: 'Pull it',
          text: `helm pull oci://${host}/${named.repository}${version}${secure ? '' : ' --plain-http'}`,
        },
      ];
    }
    case 'artifact':
    case 'unknown':
      return [{ what: 'Pull it', text: `oras pull${secure ? '' : ' --plain-http'} ${reference}` }];
    case 'kernel':
      return [{ what: 'Pull it', text: `uk kernel pull${plain} ${reference}` }];
    default: {
      const podman = `podman ${isUnikernel ? 'pull' : 'run --rm'}${secure ? '' : ' --tls-verify=false'} ${reference}`;
      return [run, pull, { what: isUnikernel ? 'Pull it with podman' : 'Run it as a container', text: podman }];
    }
  }
}

/** The commands in a box: by tag in sight, by digest behind a fold. */
export function commandBox(offered: Offered, address: PublicAddress, { open = false } = {}): VNode {
  const { byTag, byDigest } = commandsFor(offered, address);
  const list = (lines: readonly Line[], how: string) =>
    html`<dl class="commands">
      ${lines.map(({ what, text }) => html`<div><dt>${what}</dt><dd>${command(text, `${what}, ${how}`)}</dd></div>`)}
    </dl>`;
  if (byTag.length === 0) return list(byDigest, 'by digest');
  return html`<div>
    ${list(byTag, 'by tag')}
    <details open=${open}>
      <summary>By digest, which never changes</summary>
      ${list(byDigest, 'by digest')}
    </details>
  </div>`;
}

function isLoopback(host: string): boolean {
  const name = host.replace(/\/.*$/, '').replace(/:[0-9]+$/, '');
  return name === 'localhost' || name === '[::1]' || /^127\.[0-9.]+$/.test(name);
}
