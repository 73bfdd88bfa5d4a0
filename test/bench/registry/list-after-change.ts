// SPDX-License-Identifier: Apache-2.0
import { Agent, get } from 'node:http';
import { MANY_TAGS, pushManifest } from './data.ts';
import type { Cell, Figure } from './scenarios.ts';

/** A tag more, and at once everybody asks for the first page; until the last of them has it. Milliseconds. */
export async function listAfterChange({ server, data, connections, seconds }: Cell, path: string): Promise<Figure> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const [model] = data.images;
  const taken: number[] = [];
  const until = performance.now() + seconds * 1000;
  try {
    // At least one that does not open its connections within the time that counts.
    for (let at = -1; at < 3 || performance.now() < until; at += 1) {
      const tag = `zz-${process.hrtime.bigint()}`;
      if (model !== undefined) await pushManifest(server.url, MANY_TAGS, tag, model.bytes);
      const began = performance.now();
      await Promise.all(Array.from({ length: connections }, () => read(server.url + path, agent)));
      if (at >= 0) taken.push(performance.now() - began);
    }
  } finally {
    agent.destroy();
  }
  const sorted = taken.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return { value: median, p50: median * 1000, p99: (sorted.at(-1) ?? Number.NaN) * 1000 };
}

function read(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`${url}: ${answer.statusCode}`));
      answer.resume().on('end', resolve).on('error', reject);
    }).on('error', reject);
  });
}
