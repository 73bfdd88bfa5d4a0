// SPDX-License-Identifier: Apache-2.0
import { median } from '../registry/figures.ts';
import { table } from '../registry/report.ts';

export interface Measured {
  image: string;
  /** Bytes of its blobs. */
  size: number;
  tool: string;
  seconds: number;
  /** Bytes. */
  peak: number;
}

export interface Scene {
  machine: string;
  date: string;
  command: string;
  commit: string;
  versions: readonly string[];
  missing: readonly string[];
}

/** A table for people. */
export function report(scene: Scene, measured: readonly Measured[]): string {
  const { machine, date, command, commit, versions, missing } = scene;
  const images = [...new Set(measured.map(({ image }) => image))];
  return [
    machine,
    `${date}, ${commit}: ${command}`,
    ...versions,
    ...missing,
    '',
    ...images.flatMap((image) => [...rowsOf(measured.filter((one) => one.image === image)), '']),
  ].join('\n');
}

function rowsOf(measured: readonly Measured[]): string[] {
  const tools = [...new Set(measured.map(({ tool }) => tool))];
  const of = (tool: string) => measured.filter((one) => one.tool === tool);
  const seconds = (tool: string) => median(of(tool).map((one) => one.seconds));
  const ours = tools.includes('uk') ? seconds('uk') : Number.NaN;
  const [{ image, size } = { image: '', size: 0 }] = measured;
  return table(
    [image, 'seconds', 'lowest', 'highest', 'MB/s', 'time × uk', 'memory, MiB'],
    tools.map((tool) => {
      const all = of(tool).map((one) => one.seconds);
      return [
        tool,
        seconds(tool).toFixed(2),
        Math.min(...all).toFixed(2),
        Math.max(...all).toFixed(2),
        (size / 1e6 / seconds(tool)).toFixed(seconds(tool) > 10 ? 1 : 0),
        (seconds(tool) / ours).toFixed(2),
        (Math.max(...of(tool).map(({ peak }) => peak)) / 1024 ** 2).toFixed(0),
      ];
    }),
  );
}
