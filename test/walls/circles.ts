// SPDX-License-Identifier: Apache-2.0

/**
 * The groups of files that import each other, directly or through others, imports of types included. Two files in one
 * group cannot be read or changed one without the other.
 *
 * @returns each group in the order of its files' names
 */
export function importCircles(imports: readonly { from: string; to: string }[]): string[][] {
  const reached = new Map<string, Set<string>>();
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  for (const file of next.keys()) reached.set(file, reachedFrom(file, next));
  const groups = new Map<string, string[]>();
  for (const file of next.keys()) {
    const group = [...(reached.get(file) ?? [])].filter((other) => reached.get(other)?.has(file)).sort();
    if (group.length > 0) groups.set(group.join(' '), group);
  }
  return [...groups.values()];
}

/** All files that a file imports, and those that they import. It has the file itself only if a circle leads back. */
function reachedFrom(file: string, next: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set<string>();
  const waiting = [...(next.get(file) ?? [])];
  for (let here = waiting.pop(); here !== undefined; here = waiting.pop()) {
    if (found.has(here)) continue;
    found.add(here);
    waiting.push(...(next.get(here) ?? []));
  }
  return found;
}
