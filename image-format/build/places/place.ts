// SPDX-License-Identifier: Apache-2.0
import { join, posix } from 'node:path';
import type { LayerRole } from '../../annotations.ts';
import { walkPath } from '../needs/walk-path.ts';
import { hostEntryWithXattrs } from './host-entry.ts';
import type { Plan } from './plan.ts';
import { layerPath, USR_LINKS } from './usr-merge.ts';

const TOP_LINKS: ReadonlySet<string> = new Set(USR_LINKS.map((name) => `/${name}`));

/**
 * Puts what an absolute path inside the sysroot leads to into the plan, at the same path, with every link on the way.
 *
 * @returns the file's path on this machine, or undefined where the path leads nowhere
 * @throws ImageError `PATH_CONFLICT`, `SOURCE_INVALID`
 */
export async function placeFromSysroot(
  plan: Plan,
  sysroot: string,
  path: string,
  role: LayerRole,
): Promise<string | undefined> {
  const walked = await walkPath(sysroot, path);
  if (walked === undefined) return undefined;
  const host = join(sysroot, walked.real);
  const { entry } = await hostEntryWithXattrs(host, layerPath(walked.real));
  plan.add({ entry, role, origin: host });
  for (const link of walked.links) {
    if (TOP_LINKS.has(link.path)) continue;
    const at = layerPath(link.path);
    const entry = { path: at, type: 'symlink', mode: 0o777, uid: 0, gid: 0, linkname: moved(link, at) } as const;
    plan.add({ entry, role, origin: join(sysroot, link.path) });
  }
  // Where the sysroot's own top links lead elsewhere than those of the skeleton, the asked path gets a link of its own.
  const asked = layerPath(path);
  if (plan.follow(asked)?.entry !== plan.get(entry.path)?.entry) {
    const link = { path: asked, type: 'symlink', mode: 0o777, uid: 0, gid: 0, linkname: `/${entry.path}` } as const;
    plan.add({ entry: link, role, origin: join(sysroot, path) });
  }
  return host;
}

/** A link's text, made absolute where the link itself stands elsewhere than it did and its text goes up. */
function moved(link: { path: string; target: string }, at: string): string {
  const stays = `/${at}` === link.path || link.target.startsWith('/') || !link.target.includes('..');
  return stays ? link.target : `/${layerPath(posix.join(posix.dirname(link.path), link.target))}`;
}
