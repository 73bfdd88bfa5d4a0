// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';

interface Document {
  paths: Record<string, { get: { responses: Record<string, { content: Record<string, { schema: object }> }> } }>;
  components: { schemas: object };
}

/**
 * Whether an answer is what a served OpenAPI document says about it, for tests.
 *
 * @param path with its parameters
 * @returns what is wrong; undefined where nothing is
 */
export function checkAnswer(served: unknown, path: string, status: number, body: unknown): string | undefined {
  const { paths, components } = served as Document;
  const responses = paths[path.split('?')[0] ?? '']?.get.responses;
  const schema = (responses?.[status] ?? responses?.default)?.content['application/json']?.schema;
  if (schema === undefined) return `the document says nothing of ${status} at ${path}`;
  // A JSON Schema by itself keeps under $defs what OpenAPI keeps under components.
  const text = JSON.stringify({ ...schema, $defs: components.schemas });
  const checked = z.fromJSONSchema(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/'))).safeParse(body);
  return checked.success ? undefined : z.prettifyError(checked.error);
}
