// SPDX-License-Identifier: Apache-2.0
import { MEDIA_TYPE } from '../../image-format/index.ts';
import { RegistryError } from '../errors.ts';
import { checkDigest, checkRepository } from '../service/names.ts';
import { answerJson, type Exchange, parameter } from './exchange.ts';
import { linkHeader, nextLink, parsePage } from './paging.ts';

/** Referrers of one page where nobody says how many. */
const REFERRERS_PAGE = 1000;

/** GET /v2/ (distribution-spec end-1) */
export async function getBase(exchange: Exchange): Promise<void> {
  answerJson(exchange, {});
}

/** GET /v2/_catalog, as Docker's registry has it; the specification reserves it */
export async function getCatalog(exchange: Exchange): Promise<void> {
  const page = parsePage(exchange.query);
  const found = await exchange.service.catalog.list(page.limit, page.last);
  answerJson(exchange, { repositories: found.names }, linkHeader('/v2/_catalog', page, found));
}

/** GET /v2/<name>/tags/list (end-8) */
export async function getTags(exchange: Exchange): Promise<void> {
  const { service, captures, query } = exchange;
  const repository = checkRepository(captures[0] ?? '');
  const page = parsePage(query);
  const found = await service.tags.list(repository, page.limit, page.last);
  if (found.names.length === 0 && !(await service.catalog.has(repository))) {
    throw new RegistryError('NAME_UNKNOWN', `there is no repository ${repository}`);
  }
  const headers = linkHeader(`/v2/${repository}/tags/list`, page, found);
  answerJson(exchange, { name: repository, tags: found.names }, headers);
}

/** GET /v2/<name>/referrers/<digest> (end-12): an index, also of a subject that is not here */
export async function getReferrers(exchange: Exchange): Promise<void> {
  const { service, captures, query } = exchange;
  const repository = checkRepository(captures[0] ?? '');
  const subject = checkDigest(captures[1] ?? '');
  const filter = parameter(query, 'artifactType');
  const { limit, last } = parsePage(query);
  const bounded = Math.min(limit, REFERRERS_PAGE);
  const { descriptors, next } = await service.referrers.list(repository, subject, {
    filter,
    after: last,
    limit: bounded,
  });
  const more = { ...(filter === undefined ? {} : { artifactType: filter }), n: String(bounded) };
  answerJson(
    exchange,
    { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: descriptors },
    {
      'Content-Type': MEDIA_TYPE.index,
      ...(filter === undefined ? {} : { 'OCI-Filters-Applied': 'artifactType' }),
      ...(next === undefined || limit === 0
        ? {}
        : { Link: nextLink(`/v2/${repository}/referrers/${subject}`, { ...more, last: next }) }),
    },
  );
}
