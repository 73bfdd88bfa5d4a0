// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../errors.ts';
import { parseNamed } from './addresses.ts';
import { attachedPage } from './pages/attached.ts';
import { comparePage } from './pages/compare.ts';
import { compareFilePage } from './pages/compare-file.ts';
import { contentPage } from './pages/content.ts';
import { documentPage } from './pages/document.ts';
import { filePage } from './pages/file.ts';
import { filesPage } from './pages/files.ts';
import { historyPage } from './pages/history.ts';
import { imagePage } from './pages/image.ts';
import { kernelPage } from './pages/kernel.ts';
import { packagesPage } from './pages/packages.ts';
import { repositoriesPage } from './pages/repositories.ts';
import { repositoryPage } from './pages/repository.ts';
import { sharingPage } from './pages/sharing.ts';
import { repositorySpacePage, spacePage } from './pages/space.ts';
import { untaggedPage } from './pages/untagged.ts';
import type { Page, View } from './view.ts';

type PageOf = (view: View) => Promise<Page>;
type PageOfRepository = (repository: string, view: View) => Promise<Page>;
type PageOfImage = (repository: string, reference: string, view: View) => Promise<Page>;

const ALONE: Record<string, PageOf> = {
  '/': repositoriesPage,
  '/compare': comparePage,
  '/compare/file': compareFilePage,
  '/space': spacePage,
};

const OF_REPOSITORY: Record<string, PageOfRepository> = {
  '': repositoryPage,
  untagged: untaggedPage,
  space: repositorySpacePage,
  history: historyPage,
};

const OF_IMAGE: Record<string, PageOfImage> = {
  '': imagePage,
  files: filesPage,
  file: filePage,
  kernel: kernelPage,
  attached: attachedPage,
  content: contentPage,
  packages: packagesPage,
  sharing: sharingPage,
  document: documentPage,
};

/** `/r/NAME`, `/r/NAME:TAG`, `/r/NAME@DIGEST`, and behind `/-/` a part of it. No repository's name has a part `-`. */
export function parsePath(path: string): { name: string; reference?: string; part: string } | undefined {
  const [, whole = '', part = ''] = /^\/r\/(.+?)(?:\/-\/([a-z]+))?$/.exec(path) ?? [];
  if (whole === '') return undefined;
  const named = parseNamed(whole);
  return named === undefined ? { name: whole, part } : { name: named.repository, reference: named.reference, part };
}

/** @throws RegistryError `ROUTE_UNKNOWN`, and those of what is looked at */
export async function pageAt(path: string, view: View): Promise<Page> {
  if (Object.hasOwn(ALONE, path)) {
    const page = ALONE[path];
    if (page !== undefined) return page(view);
  }
  const parsed = parsePath(path);
  if (parsed !== undefined) {
    const { name, reference, part } = parsed;
    if (reference !== undefined && Object.hasOwn(OF_IMAGE, part)) {
      const page = OF_IMAGE[part];
      if (page !== undefined) return page(name, reference, view);
    } else if (reference === undefined && Object.hasOwn(OF_REPOSITORY, part)) {
      const page = OF_REPOSITORY[part];
      if (page !== undefined) return page(name, view);
    }
  }
  throw new RegistryError('ROUTE_UNKNOWN', 'there is no such page');
}
