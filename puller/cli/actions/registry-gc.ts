// SPDX-License-Identifier: Apache-2.0
import { type CollectionProgress, type CollectionReport, collect } from '../../../registry/index.ts';
import type { Session } from '../context.ts';
import { formatBytes } from '../output/bytes.ts';
import { type RegistryFlags, registryConfig } from '../registry-config.ts';

export interface CollectFlags extends RegistryFlags {
  dryRun?: boolean;
  takeOver?: boolean;
  grace?: string;
  settle?: string;
}

const STAGES: Record<CollectionProgress['stage'], string> = {
  uploads: 'unfinished uploads',
  repositories: 'repositories',
  blobs: 'blobs that no repository links',
  data: 'data that nothing names',
};

export async function collectGarbage(session: Session, options: CollectFlags): Promise<number> {
  const { grace, settle, dryRun = false, takeOver = false } = options;
  const set = [...(options.set ?? [])];
  if (grace !== undefined) set.push(['collection.grace', grace]);
  if (settle !== undefined) set.push(['collection.settle', settle]);
  const config = registryConfig({ ...options, set });
  const progress = await session.output.progress();
  const piece = progress.piece(dryRun ? 'looking' : 'collecting', 'steps');
  try {
    const report = await collect(config, {
      dryRun,
      takeOver,
      signal: session.signal,
      onProgress: ({ stage, after, counts }) => {
        const where = after === undefined ? '' : `, ${after}`;
        const freed = counts.bytesFreed === 0 ? '' : `, ${formatBytes(counts.bytesFreed)}`;
        piece.update({ text: `${STAGES[stage]}${where}${freed}` });
      },
    });
    progress.close();
    session.output.result(report, () => describe(report));
    for (const { where, message } of report.problems) session.output.note(`uk: left alone: ${where}: ${message}`);
    return report.outcome === 'finished' && report.problems.length === 0 ? 0 : 1;
  } finally {
    progress.close();
  }
}

function describe({ outcome, dryRun, resumed, counts }: CollectionReport): string {
  if (outcome === 'busy') return 'another collection is at work; --take-over goes on in its place';
  if (outcome === 'superseded') return 'another collection took over, and goes on where this one was';
  const freed = `${formatBytes(counts.bytesFreed)} ${dryRun ? 'would be freed' : 'freed'}`;
  const lines = [
    `looked at ${counts.repositories} repositories, ${counts.manifests} manifests, ${counts.links} links, ${counts.blobs} blobs`,
    `condemned ${counts.linksCondemned + counts.blobsCondemned}, revived ${counts.linksRevived + counts.blobsRevived}`,
    `deleted ${counts.linksDeleted} links, ${counts.blobsDeleted} blobs, ${counts.leftDataDeleted} pieces of left data, ${counts.entriesDeleted} old entries, ${counts.uploadsExpired} unfinished uploads`,
    freed,
  ];
  return [...(resumed ? ['went on where an earlier collection had ended'] : []), ...lines].join('\n');
}
