// SPDX-License-Identifier: Apache-2.0
import type { Descriptor, Digest } from '../../image-format/index.ts';

/** The tags of a repository. One called `sha256-…` would be a client that did not trust the referrers API. */
export async function tagsOf(registry: { url: string }, repository: string): Promise<string[]> {
  const { tags } = await getJson<{ tags: string[] }>(`${registry.url}/v2/${repository}/tags/list`);
  return tags;
}

/** What the referrers API says about a subject. */
export async function referrersOf(
  registry: { url: string },
  repository: string,
  subject: Digest,
): Promise<Descriptor[]> {
  const { manifests } = await getJson<{ manifests: Descriptor[] }>(
    `${registry.url}/v2/${repository}/referrers/${subject}`,
  );
  return manifests;
}

async function getJson<T>(url: string): Promise<T> {
  const answer = await fetch(url);
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}
