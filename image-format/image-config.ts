// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { digestSchema } from './descriptor.ts';
import { IMAGE_CONFIG_SHAPE } from './document-shapes.ts';
import { ImageError } from './errors.ts';
import { checkUnambiguous } from './unambiguous-json.ts';

/** image-spec config.md, the part that says how the program runs. */
export const executionSchema = z.looseObject({
  User: z.string().optional(),
  ExposedPorts: z.record(z.string(), z.looseObject({})).nullish(),
  Env: z.array(z.string()).nullish(),
  Entrypoint: z.array(z.string()).nullish(),
  Cmd: z.array(z.string()).nullish(),
  Volumes: z.record(z.string(), z.looseObject({})).nullish(),
  WorkingDir: z.string().optional(),
  Labels: z.record(z.string(), z.string()).nullish(),
  StopSignal: z.string().optional(),
});

/** image-spec config.md; fields that are not named there are kept. */
export const imageConfigSchema = z.looseObject({
  created: z.string().optional(),
  author: z.string().optional(),
  architecture: z.string(),
  os: z.string(),
  config: executionSchema.nullish(),
  rootfs: z.looseObject({ type: z.literal('layers'), diff_ids: z.array(digestSchema) }),
  history: z
    .array(
      z.looseObject({
        created: z.string().optional(),
        created_by: z.string().optional(),
        comment: z.string().optional(),
        empty_layer: z.boolean().optional(),
      }),
    )
    .nullish(),
});

export type ExecutionConfig = z.infer<typeof executionSchema>;
export type ImageConfig = z.infer<typeof imageConfigSchema>;

/** @throws ImageError `CONFIG_INVALID` */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  checkUnambiguous(bytes, IMAGE_CONFIG_SHAPE, 'CONFIG_INVALID', "the image's config");
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ImageError('CONFIG_INVALID', "the image's config is not JSON", { cause });
  }
  const result = imageConfigSchema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new ImageError('CONFIG_INVALID', `not a valid image config at ${issue?.path.join('.')}: ${issue?.message}`);
}
