// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { RegistryError } from '../errors.ts';
import { configSchema } from './schema.ts';

/** One leaf of the schema, by the ways in which it can be set. */
export interface Setting {
  /** As in the file, and for `--set`: `storage.root`. */
  path: string;
  /** `UK_REGISTRY_STORAGE_ROOT` */
  variable: string;
  description: string;
  /** As it would stand in a file; undefined where there is none. */
  default: unknown;
  kind: 'text' | 'number' | 'boolean' | 'mixed';
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Every leaf of the schema, in its order; of several drivers' leaves with one path the first. */
export const SETTINGS: readonly Setting[] = leaves(
  z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }),
);

function leaves(schema: JsonSchema, path: readonly string[] = []): Setting[] {
  const branches = [schema, ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])] as JsonSchema[];
  const found = branches.flatMap((branch) =>
    Object.entries(branch.properties ?? {}).flatMap(([name, child]) => leaves(child as JsonSchema, [...path, name])),
  );
  if (found.length > 0) return found.filter((leaf, at) => found.findIndex(({ path }) => path === leaf.path) === at);
  return [
    {
      path: path.join('.'),
      variable: `UK_REGISTRY_${path.map((name) => name.replaceAll(/[A-Z]/g, '_$&').toUpperCase()).join('_')}`,
      description: schema.description ?? '',
      default: schema.default,
      kind: kindOf(schema),
    },
  ];
}

function kindOf({ type, anyOf, enum: choices }: JsonSchema): Setting['kind'] {
  if (anyOf !== undefined) return 'mixed';
  if (type === 'boolean') return 'boolean';
  return choices === undefined && (type === 'number' || type === 'integer') ? 'number' : 'text';
}

/** A value from the environment or the command line, where everything is text. @throws RegistryError `CONFIG_INVALID` */
export function fromText({ path, kind }: Setting, text: string): unknown {
  if (kind === 'boolean') {
    if (/^(?:true|yes|on|1)$/i.test(text)) return true;
    if (/^(?:false|no|off|0)$/i.test(text)) return false;
    throw new RegistryError('CONFIG_INVALID', `${path} is true or false, not ${JSON.stringify(text.slice(0, 80))}`);
  }
  return (kind === 'number' || kind === 'mixed') && /^[0-9]+$/.test(text) ? Number(text) : text;
}
