// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';

/** What of the specification the suite is told to expect: the released version, or the one to come. */
export const VERSIONS = ['1.1', 'dev'] as const;
export type Version = (typeof VERSIONS)[number];

/** Every kind of request and of content that the suite knows, as its configuration spells them. */
const APIS = {
  ping: true,
  pull: true,
  push: true,
  blobs: { atomic: true, delete: true, digestHeader: true, mountAnonymous: true, uploadCancel: true },
  manifests: { atomic: true, delete: true, digestHeader: true, tagParam: true },
  tags: { atomic: true, delete: true, list: true },
  referrer: true,
};
const DATA = {
  image: true,
  index: true,
  indexList: true,
  artifact: true,
  subject: true,
  subjectMissing: true,
  artifactList: true,
  subjectList: true,
  dataField: true,
  nondistributable: true,
  customFields: true,
  noLayers: true,
  emptyBlob: true,
  sha512: true,
};

export interface Outcome {
  passed: number;
  failed: number;
  skipped: number;
  total: number;
  /** The tests that did not pass, by name; a test is named only where none below it is. */
  notPassed: string[];
  /** Options of the suite that were off: those not asked for, and those that a later suite may bring. */
  off: string[];
}

export interface Question {
  /** `127.0.0.1:PORT`, of a registry that speaks plain HTTP. */
  host: string;
  version: Version;
  /** Whether to push manifests with holes. */
  sparse: boolean;
}

/** The suite's version: test/conformance/go.mod pins it. */
export function suiteVersion(): string {
  const pinned = /distribution-spec\/conformance (v\S+)/.exec(
    readFileSync(join(import.meta.dirname, 'go.mod'), 'utf8'),
  );
  if (pinned?.[1] === undefined) throw new Error('test/conformance/go.mod names no version of the suite');
  return pinned[1];
}

/** The suite's program, where `test/setup/conformance-suite.sh` builds it; undefined where it is not. */
export function findSuite(): string | undefined {
  const { XDG_CACHE_HOME, HOME } = process.env;
  const file = join(XDG_CACHE_HOME ?? join(HOME ?? '/root', '.cache'), 'uk/conformance', suiteVersion());
  try {
    accessSync(file, constants.X_OK);
    return file;
  } catch {
    return undefined;
  }
}

/** Runs the suite with all options on, `sparse` as asked. @throws Error where it did not come to its results */
export async function runSuite({ host, version, sparse }: Question): Promise<Outcome> {
  const program = findSuite();
  if (program === undefined) throw new Error('the suite is not built: sh test/setup/conformance-suite.sh');
  const folder = await mkdtemp(join(tmpdir(), 'uk-conformance-'));
  try {
    const data = { ...DATA, sparse };
    const config = { version, registry: host, tls: 'disabled', resultsDir: folder, apis: APIS, data };
    // JSON is YAML.
    await writeFile(join(folder, 'config.yaml'), JSON.stringify(config));
    const said = await execute(program, join(folder, 'config.yaml'));
    const results: unknown = parse(await readFile(join(folder, 'results.yaml'), 'utf8'));
    return { ...countsOf(said), notPassed: notPassedOf(said), off: optionsOff(results) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function told({ passed, failed, skipped, total }: Outcome): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped of ${total}`;
}

/** What it prints. That tests failed is no error here: the counts say it. */
async function execute(program: string, config: string): Promise<string> {
  // The user's own settings of the suite must not turn anything off.
  const foreign = Object.keys(process.env).filter((name) => name.startsWith('OCI_'));
  const none = Object.fromEntries(foreign.map((name) => [name, undefined]));
  const env = { ...process.env, ...none, OCI_CONFIGURATION: config };
  try {
    const { stdout } = await promisify(execFile)(program, [], { env, maxBuffer: 64 * 1024 * 1024, timeout: 600_000 });
    return stdout;
  } catch (error) {
    const { code, stdout } = error as { code?: unknown; stdout?: string };
    if (code === 1 && stdout !== undefined) return stdout;
    throw error;
  }
}

function countsOf(said: string): Pick<Outcome, 'passed' | 'failed' | 'skipped' | 'total'> {
  const summary = said.slice(said.indexOf('\nOCI Conformance Result: '));
  const count = (status: string) => {
    const number = new RegExp(`^ +${status}\\.+: +([0-9]+)$`, 'm').exec(summary)?.[1];
    if (number === undefined) throw new Error(`the suite does not say how many are ${status}:\n${said.slice(-4000)}`);
    return Number(number);
  };
  return {
    passed: count('Pass'),
    failed: count('FAIL') + count('Error'),
    skipped: count('Skip') + count('Disabled'),
    total: count('Total'),
  };
}

function notPassedOf(said: string): string[] {
  const lines = said.matchAll(/^ +OCI Conformance Test\/(.+): (?:FAIL|Error|Skip|Disabled|Unknown)$/gm);
  const names = [...lines].flatMap(([, name]) => (name === undefined ? [] : [name]));
  return names.filter((name) => !names.some((other) => other.startsWith(`${name}/`)));
}

/** Paths of everything under `apis` and `data` that is false in the configuration as the suite understood it. */
function optionsOff(results: unknown): string[] {
  const off: string[] = [];
  const visit = (value: unknown, path: string) => {
    if (value === false) off.push(path);
    if (typeof value !== 'object' || value === null) return;
    for (const [name, below] of Object.entries(value)) visit(below, path === '' ? name : `${path}.${name}`);
  };
  const { config } = results as { config: { apis: unknown; data: unknown } };
  visit({ apis: config.apis, data: config.data }, '');
  return off;
}
