// SPDX-License-Identifier: Apache-2.0
import type { RemoteRegistry } from '../../../image-format/remote/index.ts';
import type { RepositoryPage } from '../../../registry/browse/offline.ts';
import { askApi, type RegistryFlags, splitRegistry, withRegistry } from '../browsed-registry.ts';
import type { Session } from '../context.ts';
import { printable } from '../output/printable.ts';
import { formatTable } from '../output/table.ts';

interface SearchFlags extends RegistryFlags {
  sort: 'name' | 'pushed';
}

interface Found {
  name: string;
  /** Undefined where the registry only tells names. */
  tags?: number;
  pushed?: number;
}

/** Rows of one page of the API. */
const PAGE = 200;
const MOST = 10_000;

export async function search(session: Session, text: string, flags: SearchFlags): Promise<undefined> {
  const { registry, rest } = splitRegistry(text);
  const { rows, total } = await withRegistry(session, registry, flags, async (remote) => {
    return (await byApi(session, remote, rest, flags.sort)) ?? (await byCatalog(session, remote, rest));
  });
  session.output.result({ registry, matched: rows.length, total, repositories: rows }, () => {
    const cells = rows.map(({ name, tags, pushed }) => [
      printable(`${registry}/${name}`),
      tags === undefined ? '-' : String(tags),
      pushed === undefined ? '-' : new Date(pushed).toISOString().slice(0, 16).replace('T', ' '),
    ]);
    return `${formatTable(['REPOSITORY', 'TAGS', 'PUSHED'], cells)}\n${rows.length} of ${total}`;
  });
  return undefined;
}

async function byApi(session: Session, remote: RemoteRegistry, text: string, sort: string) {
  const rows: Found[] = [];
  for (let page = 1; ; page += 1) {
    const query = { sort, page: String(page), size: String(PAGE), ...(text === '' ? {} : { search: text }) };
    const answer = (await askApi(session, remote, 'repositories', query)) as RepositoryPage | undefined;
    if (answer === undefined) return undefined;
    for (const row of answer.rows) {
      if (row.kind === 'repository') rows.push({ name: row.name, tags: row.tags ?? 0, ...pushedOf(row.pushed) });
    }
    if (page * PAGE >= Math.min(answer.matched, MOST)) return { rows, total: answer.total };
  }
}

function pushedOf(pushed: number | undefined): { pushed?: number } {
  return pushed === undefined ? {} : { pushed };
}

/** Of a registry of another kind, where it lists its repositories. */
async function byCatalog(session: Session, remote: RemoteRegistry, text: string) {
  const names = await remote.listRepositories({ signal: session.signal });
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = names.filter((name) => words.every((word) => name.toLowerCase().includes(word)));
  return { rows: found.map((name): Found => ({ name })), total: names.length };
}
