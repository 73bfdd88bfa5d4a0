// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../../../image-format/layout/durable.ts';
import { PullerError } from '../../errors.ts';
import { Claims } from './claims.ts';
import { type InstanceConfig, isConfig, SHORT_ID } from './config.ts';
import { readJson, writeDurably } from './durable-json.ts';
import { isRunState, type RunState } from './run-state.ts';

/** Files of an instance's folder. */
export const FILE = {
  config: 'config.json',
  name: 'name',
  state: 'state.json',
  claims: 'claims',
  control: 'control',
  /** What a supervisor says before it can say it in the state. */
  complaints: 'supervisor.log',
  logs: 'logs',
} as const;

/** The records of one instance. Each is whole or not there, and none needs another one to be read. */
export class InstanceFolder {
  readonly id: string;
  readonly path: string;
  readonly claims: Claims;

  /** @param instances folder of all instances */
  constructor(instances: string, id: string) {
    this.id = id;
    this.path = join(instances, id);
    this.claims = new Claims(this.file('claims'));
  }

  file(name: keyof typeof FILE): string {
    return join(this.path, FILE[name]);
  }

  /** @throws PullerError `INSTANCE_MISSING`, `INSTANCE_DAMAGED` */
  async config(): Promise<InstanceConfig> {
    const value = await readJson(this.file('config'));
    if (isConfig(value) && value.id === this.id) return value;
    try {
      await readFile(this.file('config'));
    } catch (error) {
      if (isMissing(error)) throw missingInstance(this.id.slice(0, SHORT_ID));
    }
    throw new PullerError('INSTANCE_DAMAGED', `the record of instance ${this.id.slice(0, SHORT_ID)} cannot be read`, {
      hint: `it is not of this version of uk, or was changed: ${this.file('config')}; uk rm -f removes the instance`,
    });
  }

  /** Empty where it cannot be read: an instance has its id, whatever happens to its name. */
  async name(): Promise<string> {
    return await readFile(this.file('name'), 'utf8').then(
      (text) => text.trim(),
      () => '',
    );
  }

  async writeName(name: string): Promise<void> {
    await writeDurably(this.file('name'), `${name}\n`);
  }

  /** @returns undefined where it never ran, or where what it says is of no use */
  async state(): Promise<RunState | undefined> {
    const value = await readJson(this.file('state'));
    return isRunState(value) ? value : undefined;
  }

  async writeState(state: RunState): Promise<void> {
    await writeDurably(this.file('state'), `${JSON.stringify(state, null, 2)}\n`);
  }
}

export function missingInstance(wanted: string): PullerError {
  return new PullerError('INSTANCE_MISSING', `no instance ${wanted}`, { hint: 'uk ps -a lists them all' });
}
