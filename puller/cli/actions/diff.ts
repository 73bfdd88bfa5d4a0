// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION, LABEL } from '../../../image-format/index.ts';
import {
  type ComparedFile,
  type ComparedLayer,
  changesOf,
  compareLayers,
  compareRoots,
  parseKconfig,
  runConfig,
  type Stack,
  type ValueChange,
  valuesOf,
} from '../../../registry/browse/offline.ts';
import type { Session } from '../context.ts';
import { type ImageSource, openImage, type SourceFlags } from '../image-source.ts';
import { readStacks } from '../layer-files.ts';
import { formatBytes } from '../output/bytes.ts';
import { printable } from '../output/printable.ts';

interface DiffFlags extends SourceFlags {
  all?: boolean;
}

interface Side {
  name: string;
  digest: string;
  size: number;
  kernel?: string;
}

/** What `uk diff --json` prints. */
interface Difference {
  from: Side;
  to: Side;
  same: boolean;
  /** Bytes that somebody who has `from` still has to fetch. */
  toFetch: number;
  layers: ComparedLayer[];
  config: ValueChange[];
  annotations: ValueChange[];
  kconfig: ValueChange[];
  files: ComparedFile[];
}

/** Files that are printed where nobody asks for all. */
const SHOWN_FILES = 100;

export async function diff(session: Session, from: string, to: string, flags: DiffFlags): Promise<undefined> {
  const first = await openImage(session, from, flags);
  try {
    const second = await openImage(session, to, flags);
    try {
      const [before, after] = await readStacks(session, [first, second]);
      // As many stacks as images.
      const difference = compare(first, second, before as Stack, after as Stack);
      session.output.result(difference, () => words(difference, flags.all ?? false));
    } finally {
      await second.close();
    }
  } finally {
    await first.close();
  }
  return undefined;
}

function compare(from: ImageSource, to: ImageSource, before: Stack, after: Stack): Difference {
  const [first, second] = [factsOf(from, before), factsOf(to, after)];
  const held = new Set([from.manifest.config.digest, ...from.manifest.layers.map(({ digest }) => digest)]);
  const wanted = new Map([to.manifest.config, ...to.manifest.layers].map((one) => [one.digest, one.size]));
  return {
    from: first.side,
    to: second.side,
    same: from.digest === to.digest,
    toFetch: [...wanted].reduce((sum, [digest, size]) => (held.has(digest) ? sum : sum + size), 0),
    layers: compareLayers(first, second),
    config: changesOf(first.values, second.values),
    annotations: changesOf(annotationsOf(from), annotationsOf(to)),
    kconfig: changesOf(first.options, second.options),
    files: compareRoots(before.root, after.root),
  };
}

function factsOf({ name, digest, size, manifest, config }: ImageSource, { layers: indexed }: Stack) {
  const roles = (config?.config?.Labels?.[LABEL.layerRoles] ?? '').split(',');
  const layers = manifest.layers.map(({ digest, size, annotations }, number) => {
    const role = annotations?.[ANNOTATION.layerRole] ?? (roles[number] || undefined);
    return { number, digest, size, ...(role === undefined ? {} : { role }) };
  });
  const sizes = new Map([manifest.config, ...manifest.layers].map((one) => [one.digest, one.size]));
  const texts: Record<string, string> = Object.assign({}, ...indexed.map(({ texts }) => texts));
  const kernel = versionIn(texts['boot/kernel.json']);
  const said = {
    platform: config === undefined ? undefined : `${config.os}/${config.architecture}`,
    profile: manifest.annotations?.[ANNOTATION.profile],
    variant: manifest.annotations?.[ANNOTATION.kernelVariant],
  };
  return {
    side: {
      name,
      digest,
      size: [...sizes.values()].reduce((sum, one) => sum + one, size),
      ...(kernel === undefined ? {} : { kernel }),
    },
    layers,
    values: valuesOf(config === undefined ? undefined : runConfig(config), said),
    options: new Map(parseKconfig(texts['boot/config'] ?? '').map(({ name, value }) => [name, value])),
  };
}

function annotationsOf({ manifest }: ImageSource): Map<string, string> {
  return new Map(Object.entries(manifest.annotations ?? {}));
}

function versionIn(text: string | undefined): string | undefined {
  try {
    const version: unknown = JSON.parse(text ?? '{}').version;
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}

function words(difference: Difference, all: boolean): string {
  const { from, to, toFetch, layers, config, annotations, kconfig, files } = difference;
  const shown = all ? files : files.slice(0, SHOWN_FILES);
  const rest = files.length - shown.length;
  return [
    sideLine('from', from),
    sideLine('to', to),
    `to fetch ${formatBytes(toFetch)}`,
    ...section('LAYERS', layers.map(layerLine)),
    ...section('CONFIG', config.map(valueLine)),
    ...section('ANNOTATIONS', annotations.map(valueLine)),
    ...section('KERNEL OPTIONS', kconfig.map(valueLine)),
    ...section('FILES', [...shown.map(fileLine), ...(rest > 0 ? [`and ${rest} more (--all shows them)`] : [])]),
  ].join('\n');
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

const MARKS = { same: '=', added: '+', removed: '-', changed: '~' } as const;

function sideLine(label: string, { name, digest, size, kernel }: Side): string {
  const linux = kernel === undefined ? '' : `   Linux ${printable(kernel)}`;
  return `${label.padEnd(8)} ${name}   ${digest}   ${formatBytes(size)}${linux}`;
}

function layerLine({ change, role, digest, size }: ComparedLayer): string {
  return `${MARKS[change]} ${printable(role ?? 'layer').padEnd(8)} ${digest}   ${formatBytes(size)}`;
}

function valueLine({ name, change, from, to }: ValueChange): string {
  const values = [from, to].filter((value) => value !== undefined && value !== '');
  return printable(`${MARKS[change]} ${name}${values.length === 0 ? '' : `   ${values.join(' -> ')}`}`);
}

function fileLine({ path, change, from, to, differs }: ComparedFile): string {
  const sizes = [from, to].filter((size) => size !== undefined).map(formatBytes);
  const size = sizes[0] === sizes[1] ? sizes[0] : sizes.join(' -> ');
  return printable(`${MARKS[change]} ${path}   ${size}${differs.length === 0 ? '' : `   ${differs.join(', ')}`}`);
}
