// SPDX-License-Identifier: Apache-2.0
import { Document, isMap, isScalar } from 'yaml';
import { type RegistryConfig, SECRETS } from './schema.ts';
import { SETTINGS } from './settings.ts';
import { find, place, type Tree } from './tree.ts';

/** The configuration as a file would hold it, without its secrets. */
export function printable(config: RegistryConfig): Tree {
  const tree = structuredClone(config) as unknown as Tree;
  for (const path of SECRETS) if (find(tree, path) !== undefined) place(tree, path, '(not shown)');
  return tree;
}

/** The same as YAML that can be used as a file, each setting with what it means and its variable. */
export function printConfig(config: RegistryConfig): string {
  const document = new Document(printable(config));
  for (const { path, variable, description } of SETTINGS) {
    const names = path.split('.');
    const last = names.pop();
    const map = names.length === 0 ? document.contents : document.getIn(names, true);
    const pair = isMap(map) ? map.items.find(({ key }) => isScalar(key) && key.value === last) : undefined;
    if (isScalar(pair?.key)) pair.key.commentBefore = ` ${description === '' ? '' : `${description} `}(${variable})`;
  }
  return document.toString({ lineWidth: 0 }).trimEnd();
}
