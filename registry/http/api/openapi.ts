// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { OPERATIONS, type Operation } from './operations.ts';

type Json = Record<string, unknown>;

const errorsSchema = z
  .object({ errors: z.array(z.object({ code: z.string(), message: z.string(), detail: z.unknown().optional() })) })
  .meta({ id: 'Errors' });

let made: Json | undefined;

/** The OpenAPI 3.1 document of the API, from the schemas that the answers have. */
export function openApi(): Json {
  made ??= {
    openapi: '3.1.0',
    info: {
      title: 'uk registry: browsing',
      version: '1',
      description:
        'What a registry holds, to be read. Sizes are bytes, times are milliseconds since 1970. ' +
        'What takes time to make answers 202 with its progress; ask again after a second.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    // Relative to the document, so that it is right behind any proxy and below any path.
    servers: [{ url: '.' }],
    paths: Object.fromEntries(OPERATIONS.map((operation) => [operation.path, { get: described(operation) }])),
    components: { schemas: components() },
  };
  return made;
}

function described({ id, summary, query, answer }: Operation): Json {
  const shape = z.toJSONSchema(query, { io: 'input', unrepresentable: 'any', override: nothingButTypes }) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  const parameters = Object.entries(shape.properties ?? {}).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: shape.required?.includes(name) ?? false,
    ...(description === undefined ? {} : { description }),
    schema,
  }));
  const bytes = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };
  const state = { 'application/json': { schema: { $ref: '#/components/schemas/NotReady' } } };
  const json = { 'application/json': { schema: { $ref: `#/components/schemas/${answerName(id)}` } } };
  return {
    operationId: id,
    summary,
    parameters,
    responses: {
      200: { description: 'What was asked for', content: answer === undefined ? bytes : json },
      202: { description: 'It is being made', content: answer === undefined ? state : json },
      default: {
        description: 'Why not',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Errors' } } },
      },
    },
  };
}

/** Parameters are texts that read as numbers: their schema says so without the coercion. */
function nothingButTypes({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: Json }): void {
  if (zodSchema._zod.def.type === 'number') jsonSchema.type = 'integer';
}

function answerName(id: string): string {
  return `${id.charAt(0).toUpperCase()}${id.slice(1)}Answer`;
}

/** All schemas under one roof: those with names of their own, and one for each answer. */
function components(): Json {
  const registry = z.registry<{ id: string }>();
  for (const { id, answer } of OPERATIONS) {
    if (answer !== undefined)
      registry.add(
        z.lazy(() => answer),
        { id: answerName(id) },
      );
  }
  registry.add(errorsSchema, { id: 'Errors' });
  registry.add(notReady, { id: 'NotReady' });
  const { schemas } = z.toJSONSchema(registry, {
    unrepresentable: 'any',
    uri: (id) => `#/components/schemas/${id}`,
  });
  return named(schemas);
}

const notReady = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('making'),
    progress: z.object({ done: z.number(), total: z.number().optional(), unit: z.string() }),
  }),
  z.object({ state: z.literal('refused'), reason: z.object({ code: z.string(), message: z.string() }) }),
]);

/** zod keeps schemas with names of their own aside; here all stand side by side. */
function named(schemas: Record<string, Json>): Json {
  const { __shared: shared, ...answers } = schemas;
  const all = { ...answers, ...(shared?.$defs as Record<string, Json> | undefined) };
  const text = JSON.stringify(all, (key, value) => (key === '$schema' || key === '$id' ? undefined : value));
  return JSON.parse(text.replaceAll('#/components/schemas/__shared#/$defs/', '#/components/schemas/'));
}
