// SPDX-License-Identifier: Apache-2.0
import { parseReference, type Reference } from '../../../image-format/index.ts';
import type { RemoteRegistry } from '../../../image-format/remote/index.ts';
import type { TagPage } from '../../../registry/browse/offline.ts';
import { askApi, type RegistryFlags, withRegistry } from '../browsed-registry.ts';
import type { Session } from '../context.ts';
import { CliError } from '../errors.ts';
import { formatBytes } from '../output/bytes.ts';
import { printable } from '../output/printable.ts';
import { formatTable } from '../output/table.ts';

interface ListFlags extends RegistryFlags {
  sort: 'version' | 'pushed' | 'name';
}

interface TagLine {
  tag: string;
  digest: string;
  size?: number;
  pushed?: number;
  platforms?: string[];
  profiles?: string[];
  signed?: boolean;
}

const PAGE = 200;
const MOST = 100_000;
/** Requests at once, where each tag has to be asked for. */
const WIDTH = 8;

export async function listTags(session: Session, text: string, flags: ListFlags): Promise<undefined> {
  const reference = parseReference(text);
  if (text.includes('@') || /:[^/]*$/.test(text.slice(text.indexOf('/') + 1))) {
    throw new CliError('USAGE', `${JSON.stringify(text.slice(0, 200))} names one image`, {
      hint: 'give a repository, without tag and digest',
    });
  }
  const tags = await withRegistry(session, reference.registry, flags, async (remote) => {
    const { repository } = reference;
    return (await byApi(session, remote, repository, flags.sort)) ?? (await byProtocol(session, remote, reference));
  });
  session.output.result(tags, () =>
    formatTable(
      ['TAG', 'DIGEST', 'SIZE', 'PUSHED', 'SIGNED', 'PLATFORMS'],
      tags.map(({ tag, digest, size, pushed, signed, platforms = [], profiles = [] }) => [
        printable(tag),
        digest.slice('sha256:'.length, 'sha256:'.length + 12),
        size === undefined ? '-' : formatBytes(size),
        pushed === undefined ? '-' : new Date(pushed).toISOString().slice(0, 16).replace('T', ' '),
        signed === undefined ? '-' : signed ? 'yes' : 'no',
        printable([...(profiles.length > 0 ? profiles : platforms)].join(',')) || '-',
      ]),
    ),
  );
  return undefined;
}

async function byApi(session: Session, remote: RemoteRegistry, repository: string, sort: string) {
  const tags: TagLine[] = [];
  for (let page = 1; ; page += 1) {
    const query = { repository, sort, page: String(page), size: String(PAGE) };
    const answer = (await askApi(session, remote, 'tags', query)) as TagPage | undefined;
    if (answer === undefined) return undefined;
    for (const { tag, digest, size, pushed, platforms, profiles, signed } of answer.rows) {
      tags.push({
        tag,
        digest,
        ...(size === undefined ? {} : { size }),
        ...(pushed === undefined ? {} : { pushed }),
        platforms: platforms.filter(({ attestation }) => !attestation).flatMap(({ platform }) => platform ?? []),
        profiles,
        signed,
      });
    }
    if (page * PAGE >= Math.min(answer.matched, MOST)) return tags;
  }
}

/** Of a registry of another kind: one request for the list, and one for each tag. */
async function byProtocol(session: Session, remote: RemoteRegistry, reference: Reference): Promise<TagLine[]> {
  const { repository, registry } = reference;
  const names = await remote.listTags(repository, { signal: session.signal });
  const tags: TagLine[] = [];
  for (let at = 0; at < names.length; at += WIDTH) {
    const some = names.slice(at, at + WIDTH);
    const resolved = await Promise.all(
      some.map((tag) => remote.resolve({ registry, repository, tag }, { signal: session.signal })),
    );
    for (const [place, { digest }] of resolved.entries()) tags.push({ tag: some[place] ?? '', digest });
  }
  return tags;
}
