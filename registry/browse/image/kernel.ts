// SPDX-License-Identifier: Apache-2.0
import type { ImageFiles } from '../files/image-files.ts';
import { ready, refuse } from '../files/image-files.ts';
import { cutPage, matches, wordsOf } from '../page.ts';
import type { KconfigPage, KconfigQuery, Kernel } from '../types/kernel.ts';
import type { Made } from '../types/paging.ts';
import { parseKconfig } from './kconfig.ts';

const MOST_LISTED = 1_000;
const NO_KERNEL = 'the image has no /boot/kernel.json: it is no unikernel';

/** What a unikernel says of its Linux. */
export async function kernelOf(files: ImageFiles, repository: string, reference: string): Promise<Made<Kernel>> {
  const texts = await files.texts(repository, reference);
  if (texts.state !== 'ready') return texts;
  const kernelJson = parse(texts.value['boot/kernel.json']);
  if (kernelJson === undefined) return refuse('CONTENT_UNREADABLE', NO_KERNEL);
  const profileJson = parse(texts.value['boot/profile.json']);
  const said = fields(kernelJson);
  return ready({
    ...textField('version', said.version),
    ...textField('variant', said.variant),
    ...textField('preset', said.preset),
    ...(typeof said.guestContract === 'number' ? { contract: said.guestContract } : {}),
    ...textField('profile', fields(profileJson).name),
    fragments: textsIn(said.fragments),
    sources: sourcesIn(said.sources),
    patches: patchesIn(fields(said.sources).patches ?? said.patches),
    kernelJson,
    ...(profileJson === undefined ? {} : { profileJson }),
    kconfig: texts.value['boot/config'] !== undefined,
  });
}

/** Options of the Linux, searched. */
export async function kconfigOf(
  files: ImageFiles,
  repository: string,
  reference: string,
  query: KconfigQuery,
): Promise<Made<KconfigPage>> {
  const texts = await files.texts(repository, reference);
  if (texts.state !== 'ready') return texts;
  const text = texts.value['boot/config'];
  if (text === undefined) return refuse('CONTENT_UNREADABLE', 'the image has no /boot/config');
  const options = parseKconfig(text);
  const words = wordsOf(query.search);
  const found = options.filter(({ name, value }) => matches(name, words) && (query.enabled !== true || value !== 'n'));
  return ready({ ...cutPage(found, query), total: options.length });
}

function parse(text: string | undefined): unknown {
  try {
    const value: unknown = text === undefined ? undefined : JSON.parse(text);
    // What is nested too deeply can be read, but not be written into an answer.
    JSON.stringify(value);
    return value;
  } catch {
    return undefined;
  }
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textField<K extends string>(name: K, value: unknown): { [key in K]?: string } {
  return typeof value === 'string' ? ({ [name]: value } as { [key in K]: string }) : {};
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string').slice(0, MOST_LISTED) : [];
}

function sourcesIn(value: unknown): Kernel['sources'] {
  return Object.entries(fields(value))
    .filter(([, one]) => typeof one === 'string' || typeof one === 'number')
    .slice(0, MOST_LISTED)
    .map(([name, one]) => ({ name, value: String(one) }));
}

function patchesIn(value: unknown): Kernel['patches'] {
  const entries: [string, unknown][] = Array.isArray(value)
    ? value.map((one) => (typeof one === 'string' ? [one, undefined] : [String(fields(one).name), fields(one).digest]))
    : Object.entries(fields(value));
  return entries
    .slice(0, MOST_LISTED)
    .map(([name, digest]) => ({ name, ...(typeof digest === 'string' ? { digest } : {}) }));
}
