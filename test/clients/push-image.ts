// SPDX-License-Identifier: Apache-2.0
import type { SampleImage } from './sample-image.ts';

/** Puts an image into a registry by the plainest requests there are. */
export async function pushImage(url: string, repository: string, image: SampleImage, tag: string): Promise<void> {
  for (const [digest, bytes] of image.blobs) {
    await expectStatus(201, `${url}/v2/${repository}/blobs/uploads/?digest=${digest}`, { method: 'POST', body: bytes });
  }
  const headers = { 'Content-Type': image.mediaType };
  const body = image.manifest;
  await expectStatus(201, `${url}/v2/${repository}/manifests/${tag}`, { method: 'PUT', body, headers });
}

async function expectStatus(status: number, url: string, init: RequestInit): Promise<void> {
  const answer = await fetch(url, init);
  const text = await answer.text();
  if (answer.status !== status) throw new Error(`${init.method} ${url}: ${answer.status} ${text}`);
}
